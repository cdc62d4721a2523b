import { always, type Fault } from './fault.ts';
import { someMaster } from './targets.ts';

const HEADROOM_BYTES = 64 * 1024;

/** A master has no memory left. */
export const memoryLimit: Fault = {
  id: 'F18',
  title: 'Redis at its memory limit',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['redis'],
  lastsMs: [1_000, 3_000],
  does: '`maxmemory` of a master is set 64 KB above what it uses, and lifted later.',
  expects: 'Writes are refused before they begin, the archive still drains, nothing is evicted.',
  showed:
    'Writes refused as unknown with LEDGER_OUT_OF_MEMORY, nothing evicted, service again within a second of the end.',
  canRun: always,
  async inject(world, random) {
    const node = await someMaster(world, random);
    const used = /^used_memory:(\d+)/m.exec(await node.admin.info('memory'))?.[1];
    const limit = Number(used) + HEADROOM_BYTES;
    await node.admin.config('SET', 'maxmemory', String(limit));
    return {
      note: `${node.name} may use ${limit} bytes`,
      async heal() {
        await node.admin.config('SET', 'maxmemory', '0');
        const evicted = /^evicted_keys:(\d+)/m.exec(await node.admin.info('stats'))?.[1];
        if (evicted !== '0') throw new Error(`${node.name} evicted ${evicted} keys`);
      },
    };
  },
};
