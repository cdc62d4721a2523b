import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RuleSetChange } from '../domain/rule-set-change.ts';
import type { RuleChange, RuleFault, RuleTable } from '../engine/rule-table.ts';
import type { ReadPromotion } from './codec/promotion-definition.ts';
import { CATCH_UP_MS, CATCH_UP_STEP, START_STEP } from './limits.ts';
import type { RuleLogReader } from './rule-log.ts';

/** What a follower works with. */
export interface FollowerPorts {
  readonly reader: RuleLogReader;
  readonly table: Pick<RuleTable, 'change'>;
  /** Reads a stored promotion. */
  readonly readPromotion: (body: Uint8Array) => ReadPromotion;
  /** Told when the table has caught up, with the faults met on the way. */
  readonly caughtUp: (faults: readonly RuleFault[]) => void;
}

/**
 * Changes of the rule set as a table takes them; what cannot be read is added to `faults` and leaves the last good version of
 * its promotion serving.
 */
export function ruleChanges(
  changes: readonly RuleSetChange[],
  readPromotion: (body: Uint8Array) => ReadPromotion,
  faults: RuleFault[],
): RuleChange[] {
  return changes.flatMap(({ ref, isDeleted, body }) => {
    if (isDeleted) return [{ ref }];
    const { definition, faults: found = [] } = readPromotion(body);
    faults.push(...found);
    return definition === undefined ? [] : [{ ref, definition }];
  });
}

/**
 * Keeps a worker's table at the end of the log: a little at the beginning of each batch, the rest between batches. Every change
 * of the log is a version of the rule set, so wherever it stops the table is that of exactly one version.
 */
export class RuleFollower {
  private readonly ports: FollowerPorts;
  private faults: RuleFault[] = [];

  constructor(ports: FollowerPorts) {
    this.ports = ports;
  }

  /** Takes everything there is, however long it takes. For the start of a thread. */
  catchUpWholly(): void {
    this.take(Number.POSITIVE_INFINITY, START_STEP);
  }

  /** Takes what there is, for two milliseconds at most. */
  catchUp(): void {
    if (this.ports.reader.isBehind) this.take(CATCH_UP_MS, CATCH_UP_STEP);
  }

  /** Follows for as long as the thread lives. */
  async follow(): Promise<never> {
    for (;;) {
      await this.ports.reader.untilBehind();
      this.catchUp();
      await nextTurn();
    }
  }

  private take(budgetMs: number, changesPerStep: number): void {
    const { reader, caughtUp } = this.ports;
    const endMs = performance.now() + budgetMs;
    do this.step(changesPerStep);
    while (reader.isBehind && performance.now() < endMs);
    if (reader.isBehind) return;
    const { faults } = this;
    this.faults = [];
    caughtUp(faults);
  }

  private step(changesPerStep: number): void {
    const { reader, table, readPromotion } = this.ports;
    const changes = reader.read(changesPerStep);
    const last = changes.at(-1);
    if (last === undefined) return;
    const definitions = ruleChanges(changes, readPromotion, this.faults);
    this.faults.push(...table.change(definitions, last.ruleSetVersion));
  }
}
