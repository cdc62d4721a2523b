/** The end of a run: nobody asks for anything, and the product has to come to rest by itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Breach } from './report/chaos-report.ts';
import { readLevels } from './topology/levels.ts';
import type { World } from './topology/world.ts';

/** Time the product has, ms: several leases, an election and the work of a backlog. */
const QUIET_MS = 60_000;
/** How long everything must stay at rest, ms: longer than a turn of the archive and of the sweeps. */
const STEADY_MS = 1_500;
const POLL_MS = 100;

/** What came of it. */
export interface Quiet {
  /** From the call until the beginning of the rest, ms; absent = it never rested. */
  readonly afterMs: number | undefined;
  /** I16 broken. */
  readonly breach: Breach | undefined;
}

/** Resolves when every event is archived and every partition open for a while, or after a minute. */
export async function untilQuiet(world: World): Promise<Quiet> {
  const startedMs = Date.now();
  let restingSinceMs: number | undefined;
  let seen = '';
  while (Date.now() - startedMs < QUIET_MS) {
    const state = await look(world);
    const changed = state.text !== seen;
    seen = state.text;
    if (!state.isLevel || changed) restingSinceMs = undefined;
    if (state.isLevel) restingSinceMs ??= Date.now();
    if (restingSinceMs !== undefined && Date.now() - restingSinceMs >= STEADY_MS)
      return { afterMs: restingSinceMs - startedMs, breach: undefined };
    await sleep(POLL_MS);
  }
  const text = `after ${QUIET_MS} ms not everything was archived and open: ${seen}`;
  return { afterMs: undefined, breach: { promise: 'I16', kind: 'not-quiet', text } };
}

async function look(world: World): Promise<{ isLevel: boolean; text: string }> {
  try {
    const levels = await readLevels(world);
    const isLevel = levels.every((level) => level.isOpen && level.lastSeq === level.archivedSeq);
    const text = levels
      .map(
        ({ partition, isOpen, lastSeq, archivedSeq }) =>
          `p${partition} ${isOpen ? 'open' : 'closed'} ${archivedSeq}/${lastSeq}`,
      )
      .join(', ');
    return { isLevel, text };
  } catch (error) {
    return { isLevel: false, text: error instanceof Error ? error.message : String(error) };
  }
}
