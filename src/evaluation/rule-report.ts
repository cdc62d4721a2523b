import type { RuleFault } from '../engine/rule-table.ts';

/** What a worker tells the main thread about its rules: at its start, and whenever it has caught up or met a fault. */
export interface RuleReport {
  readonly threadId: number;
  /** The rule-set version it decides by. */
  readonly version: number;
  /** Promotions that could not be compiled since the last report; their last good version goes on serving. */
  readonly faults: readonly RuleFault[];
}

/** Whether a message of a worker is a report. */
export function isRuleReport(message: unknown): message is RuleReport {
  return typeof message === 'object' && message !== null && 'threadId' in message && 'faults' in message;
}
