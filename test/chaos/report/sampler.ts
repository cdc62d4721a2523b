/** Looks at ledger and archive again and again during a run, around the proxies. */
import { setInterval } from 'node:timers/promises';
import type { HistorySink } from '../history/history.ts';
import { type Level, readLevels } from '../topology/levels.ts';
import type { World } from '../topology/world.ts';

/** Time between two looks, ms. */
const SAMPLE_MS = 250;

/** One look. */
export interface Sample {
  readonly atMs: number;
  /** Entries of the ledger that the archive does not have; absent while a store did not answer. */
  readonly backlogEntries: number | undefined;
  /** Partitions that take writes. */
  readonly openPartitions: number | undefined;
}

/** Takes samples until told to stop, and writes what it sees of cursors into the history. */
export class Sampler {
  readonly samples: Sample[] = [];
  private readonly world: World;
  private readonly history: HistorySink;
  private readonly stopping = new AbortController();
  private readonly running: Promise<unknown>;

  /** Begins at once. */
  constructor(world: World, history: HistorySink) {
    this.world = world;
    this.history = history;
    this.running = Promise.all([
      this.repeat(() => this.takeSample()),
      this.repeat(() => this.lookAtCursors()),
    ]);
  }

  /** Ends after the look under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** What does not answer is looked at again the next time. */
  private async repeat(look: () => Promise<void>): Promise<void> {
    const { signal } = this.stopping;
    try {
      for await (const _ of setInterval(SAMPLE_MS, undefined, { signal }))
        await look().catch(() => undefined);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  private async takeSample(): Promise<void> {
    const atMs = Date.now();
    const levels: readonly Level[] | undefined = await readLevels(this.world).catch(() => undefined);
    this.samples.push({
      atMs,
      backlogEntries: levels?.reduce((sum, level) => sum + Math.max(0, level.lastSeq - level.archivedSeq), 0),
      openPartitions: levels?.filter(({ isOpen }) => isOpen).length,
    });
  }

  private async lookAtCursors(): Promise<void> {
    const rows = await this.world.postgres.admin<
      { generation: number; partition: number; seq: string; epoch: string; owner: string | null }[]
    >`SELECT generation, partition, seq, epoch, owner FROM ledger_cursor ORDER BY generation, partition`;
    const at = Date.now();
    for (const { generation, partition, seq, epoch, owner } of rows) {
      const place = { generation, partition, seq: Number(seq), epoch: Number(epoch) };
      this.history.append({ kind: 'cursor', at, ...place, owner: owner ?? '' });
    }
  }
}
