/** The report of a run: everything the table, the JSON file and the page are made from. */
import type { GeneratorCheck } from '../contenders/generator-check.ts';
import type { EvaluateResult } from '../evaluate/evaluate-result.ts';
import type { FlashSaleResult } from '../flash-sale.ts';
import type { FlushLagResult } from '../flush-lag.ts';
import type { Machine, Settings } from '../machine.ts';
import type { Ratios } from '../ratios.ts';
import type { ContenderSummary } from '../statistics.ts';
import type { Verdict } from '../thresholds.ts';

/** A whole run. */
export interface Report {
  readonly command: string;
  readonly startedAt: string;
  readonly machine: Machine;
  readonly settings: Settings;
  readonly contenders: readonly ContenderSummary[];
  readonly flashSale?: FlashSaleResult;
  readonly flushLag?: FlushLagResult;
  readonly audit?: { readonly exitCode: number; readonly output: string };
  readonly generatorCheck?: GeneratorCheck;
  readonly evaluate?: EvaluateResult;
  readonly ratios: Ratios;
  readonly thresholds: readonly Verdict[];
  /** What a reader must know before believing the figures. */
  readonly warnings: readonly string[];
  readonly passed: boolean;
}
