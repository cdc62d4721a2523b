import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PromotionDefinition } from '../domain/promotion.ts';
import type { RuleChange, RuleFault, RuleTable } from '../engine/rule-table.ts';
import { CATCH_UP_MS, CATCH_UP_STEP } from './limits.ts';
import type { RuleLogReader, StoredRuleChange } from './rule-log.ts';

/** What a follower works with. */
export interface FollowerPorts {
  readonly reader: RuleLogReader;
  readonly table: Pick<RuleTable, 'change'>;
  /** Reads a stored promotion. */
  readonly definitionOf: (body: Uint8Array) => PromotionDefinition;
  /** Told when the table has caught up, with the faults met on the way. */
  readonly caughtUp: (faults: readonly RuleFault[]) => void;
}

/** Changes of the rule set as the table takes them; a promotion that cannot even be read is a fault and leaves its last good version. */
export function ruleChanges(
  changes: readonly StoredRuleChange[],
  definitionOf: (body: Uint8Array) => PromotionDefinition,
  faults: RuleFault[],
): RuleChange[] {
  return changes.flatMap(({ ref, isDeleted, body }) => {
    if (isDeleted) return [{ ref }];
    try {
      return [{ ref, definition: definitionOf(body) }];
    } catch (error) {
      faults.push({ promotionId: `ref ${ref}`, version: 0, field: '', reason: String(error) });
      return [];
    }
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
    this.take(Number.POSITIVE_INFINITY);
  }

  /** Takes what there is, for two milliseconds at most. */
  catchUp(): void {
    if (this.ports.reader.isBehind) this.take(CATCH_UP_MS);
  }

  /** Follows for as long as the thread lives. */
  async follow(): Promise<never> {
    for (;;) {
      await this.ports.reader.untilBehind();
      this.catchUp();
      await nextTurn();
    }
  }

  private take(budgetMs: number): void {
    const { reader, caughtUp } = this.ports;
    const endMs = performance.now() + budgetMs;
    do this.step();
    while (reader.isBehind && performance.now() < endMs);
    if (reader.isBehind) return;
    const { faults } = this;
    this.faults = [];
    caughtUp(faults);
  }

  private step(): void {
    const { reader, table, definitionOf } = this.ports;
    const changes = reader.read(CATCH_UP_STEP);
    const last = changes.at(-1);
    if (last === undefined) return;
    const definitions = ruleChanges(changes, definitionOf, this.faults);
    this.faults.push(...table.change(definitions, last.ruleSetVersion));
  }
}
