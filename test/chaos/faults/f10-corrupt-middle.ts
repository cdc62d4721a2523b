import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ServerStartError } from '../../../tools/servers/server-process.ts';
import { runCommand } from '../run-audit.ts';
import type { RedisNode } from '../topology/redis-node.ts';
import { whileEverythingIsArchived } from './archived-tail.ts';
import { type Fault, nothingToHeal } from './fault.ts';

const FLIPPED_BYTES = 64;

/** The append-only file is beyond repair; the runbook is a rebuild from Postgres. */
export const corruptMiddle: Fault = {
  id: 'F10',
  title: 'Append-only file corrupt in its middle',
  topologies: ['single'],
  parts: ['redis', 'redis_link', 'postgres', 'postgres_link', 'serve', 'archive', 'clock'],
  lastsMs: [0, 100],
  does: 'With everything archived all processes are killed and 64 bytes in the middle of the file are overwritten. Redis refuses to start; its files are removed, and `hongbao rebuild redis --yes` fills the empty server.',
  expects: 'Everything acknowledged is back from the projections of Postgres.',
  showed:
    'Redis refuses the file; the rebuild wrote every record back and the checker found nothing missing.',
  canRun: ({ isNamed }) => (isNamed ? undefined : 'a runbook of its own: name it, `--faults F10`'),
  async inject(world) {
    const node = await world.redis.masterOf(0);
    const processes = [...world.serves, ...world.archives].filter(({ isRunning }) => isRunning);
    await whileEverythingIsArchived(world, async () => {
      await Promise.all(processes.map((process) => process.end('SIGKILL')));
      await node.server.kill();
    });
    await overwriteMiddle(await node.appendOnlyFile());
    await requireRefusal(node);
    await rm(join(node.directory, 'appendonlydir'), { recursive: true });
    await node.restart();
    const rebuilt = await runCommand(['rebuild', 'redis', '--yes'], world.directEnvironment);
    if (rebuilt.code !== 0) throw new Error(`rebuild ended with ${rebuilt.code}: ${rebuilt.output}`);
    await Promise.all(processes.map((process) => process.start()));
    return { note: `Redis refused to start and was rebuilt: ${rebuilt.output.trim()}`, heal: nothingToHeal };
  },
};

async function overwriteMiddle(path: string): Promise<void> {
  const { size } = await stat(path);
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(FLIPPED_BYTES, 0xa5), 0, FLIPPED_BYTES, Math.floor(size / 2));
  await file.close();
}

async function requireRefusal(node: RedisNode): Promise<void> {
  const started = await node.server.restart().then(
    () => true,
    (error: unknown) => {
      if (error instanceof ServerStartError) return false;
      throw error;
    },
  );
  if (started) throw new Error('Redis started on a file that is corrupt in its middle');
}
