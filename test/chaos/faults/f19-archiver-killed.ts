import { setTimeout as sleep } from 'node:timers/promises';
import type { Direction } from '../proxy/link.ts';
import { always, type Fault } from './fault.ts';
import { archiveAtWork } from './targets.ts';

const HELD_MS = 1_000;

/** The archiver dies around its commit, on either side of it. */
export const archiverKilled: Fault = {
  id: 'F19',
  title: 'Archiver killed before or after its commit',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['archive', 'postgres_link'],
  lastsMs: [300, 2_000],
  does: 'The proxy holds back what goes to Postgres (before the commit) or what comes from it (after); then the `archive` at work gets SIGKILL.',
  expects: 'No row twice, no gap, the cursor exact; the other one takes over when the lease lapses.',
  showed:
    'Killed before and after the commit: no row twice, the cursor exact; the other archiver took over when the lease lapsed.',
  canRun: always,
  async inject(world, random) {
    const direction: Direction = random.pick(['request', 'reply']);
    const archive = await archiveAtWork(world, random);
    const { promise, resolve } = Promise.withResolvers<void>();
    const release = world.postgres.proxy.hold(direction, resolve);
    await Promise.race([promise, sleep(HELD_MS)]);
    await archive.end('SIGKILL');
    release();
    const when = direction === 'request' ? 'before' : 'after';
    return { note: `${archive.name} killed ${when} its statement ran`, heal: () => archive.start() };
  },
};
