/** What suites come to know; a run of several puts their outcomes together. */
import type { GeneratorCheck } from '../contenders/generator-check.ts';
import type { EvaluateResult } from '../evaluate/evaluate-result.ts';
import type { FlashSaleResult } from '../flash-sale.ts';
import type { FlushLagResult } from '../flush-lag.ts';
import type { OverloadResult } from '../overload.ts';
import type { Ratios } from '../ratios.ts';
import type { SizesResult } from '../sizes/measure-sizes.ts';
import type { ContenderSummary } from '../statistics.ts';

/** Everything that was measured. */
export interface Outcome {
  readonly contenders: readonly ContenderSummary[];
  readonly flashSale?: FlashSaleResult;
  readonly flushLag?: FlushLagResult;
  /** Of Redis's memory, in wallets of five. */
  readonly redisBytesPerCoupon?: number;
  readonly audit?: { readonly exitCode: number; readonly output: string };
  readonly generatorCheck?: GeneratorCheck;
  readonly evaluate?: EvaluateResult;
  readonly overload?: OverloadResult;
  readonly sizes?: SizesResult;
  /** Claims per second beyond this machine, by the number of masters. */
  readonly paper?: Ratios;
}

/** Figures that are no ratio of two contenders but stand beside them, under the names the bars use. */
export function figuresOf({
  contenders,
  flashSale,
  flushLag,
  redisBytesPerCoupon,
  audit,
  evaluate,
  overload,
  paper,
}: Outcome): Ratios {
  return {
    ...(flashSale === undefined
      ? {}
      : {
          flashsale_wins: flashSale.wins,
          flashsale_oversold: flashSale.oversold,
          flashsale_duplicates: flashSale.duplicates,
        }),
    ...(flushLag === undefined ? {} : { flush_lag_p99_ms: flushLag.p99Ms }),
    ...(redisBytesPerCoupon === undefined ? {} : { redis_bytes_per_coupon: redisBytesPerCoupon }),
    errors:
      contenders.reduce((sum, { errors }) => sum + errors, 0) +
      (flashSale?.unanswered ?? 0) +
      (flushLag?.errors ?? 0) +
      (evaluate?.beside.errors ?? 0),
    ...(audit === undefined ? {} : { audit_exit_code: audit.exitCode }),
    ...(overload === undefined
      ? {}
      : { overload_goodput_vs_peak: overload.goodputPerSecond / overload.peakPerSecond }),
    ...evaluate?.ratios,
    ...paper,
  };
}
