import { runCommand } from '../run-audit.ts';
import { always, type Fault, nothingToHeal } from './fault.ts';

/** A partition changes its master, as when a cluster grows. */
export const slotMoved: Fault = {
  id: 'F15',
  title: 'Partition moved to another master under load',
  topologies: ['cluster'],
  parts: ['redis', 'redis_link', 'archive'],
  lastsMs: [0, 500],
  does: '`hongbao move` shuts the gate of a partition, hands its slot over key by key, and the archive opens it for its new server.',
  expects:
    'MOVED, ASK and TRYAGAIN are absorbed; no script works on half a partition; the pause is measured.',
  showed: '22 to 54 keys moved; the partition was closed for about 0.5 s, the others stayed open.',
  canRun: always,
  async inject(world, random) {
    const partition = random.between(0, world.redis.partitions - 1);
    const source = await world.redis.masterOf(partition);
    const target = random.pick((await world.redis.masters()).filter((node) => node !== source));
    const order = ['move', '--partition', String(partition), '--to', `127.0.0.1:${target.proxy.port}`];
    const { code, output } = await runCommand(order, world.directEnvironment);
    if (code !== 0) throw new Error(`the move ended with ${code}: ${output}`);
    const told = output.trim().split('\n').at(-1) ?? '';
    return { note: `from ${source.name} to ${target.name}: ${told}`, heal: nothingToHeal };
  },
};
