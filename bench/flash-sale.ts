/**
 * The flash sale: 200,000 claims by 100,000 users on a stock of 10,000, over gRPC and Connect, through two serve processes at once.
 * Every user claims twice, by different protocols and processes and at about the same time. What counts is not how fast it is, but
 * that exactly the stock is given away, and nobody gets two.
 */
import { CLAIM_PATH } from './contenders/claim-messages.ts';
import { HTTP_CONNECTIONS, type Loads, shapeJob } from './contenders/loads.ts';
import { runLoad } from './contenders/run-load.ts';
import type { LoadJob, LoadResult } from './load/job.ts';
import type { Product, ServeProcess } from './product/product.ts';
import type { Promotions } from './product/promotions.ts';
import { waitUntilArchived } from './product/wait-until-archived.ts';

/** The size of the sale. */
export const FLASH_SALE = { claims: 200_000, users: 100_000, stock: 10_000 } as const;

const PROMOTION_ID = 'bench-flash-sale';

/** Longest time all claims may take. */
const SALE_LIMIT_MS = 120_000;
const DRAIN_LIMIT_MS = 120_000;

/** What came out of the sale. */
export interface FlashSaleResult {
  readonly claims: number;
  readonly users: number;
  readonly stock: number;
  /** Claims that were answered with a coupon. */
  readonly wins: number;
  /** Coupons beyond the stock, by the answers, by the ledger or in Postgres, whichever is more. */
  readonly oversold: number;
  /** Users who were answered with more than one coupon. */
  readonly duplicates: number;
  /** Claims without a proper answer. */
  readonly unanswered: number;
  readonly claimsPerSecond: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Runs the sale against these processes and reads the ledger's own count afterwards. */
export async function runFlashSale(
  product: Product,
  serves: readonly ServeProcess[],
  promotions: Promotions,
  loads: Loads,
): Promise<FlashSaleResult> {
  await promotions.create({ id: PROMOTION_ID, quantity: FLASH_SALE.stock, perUserLimit: 1 });
  const began = performance.now();
  const results = await Promise.all(saleJobs(product, serves, loads).map(runLoad));
  const seconds = (performance.now() - began) / 1000;
  await waitUntilArchived(product, promotions, PROMOTION_ID, DRAIN_LIMIT_MS);
  return summarizeSale(results, await promotions.figures(PROMOTION_ID), seconds);
}

/**
 * Half of the claims over gRPC to all processes, the other half over Connect, shared between them. Every claim has a request id of its
 * own, also among the claims of other measurements: a repeated one would be answered with the coupon it made.
 */
function saleJobs(product: Product, serves: readonly ServeProcess[], loads: Loads): LoadJob[] {
  const half = FLASH_SALE.claims / 2;
  const share = half / serves.length;
  const first = loads.reserveSerials();
  const window = { warmUpMs: 0, measureMs: SALE_LIMIT_MS };
  const job = (shape: 'grpc' | 'connect', port: number, firstSerial: number, maxCalls: number): LoadJob => ({
    ...shapeJob(loads, shape, { port, window, watch: product.ledgerProcesses, promotionId: PROMOTION_ID }),
    population: { firstSerial, users: FLASH_SALE.users },
    maxCalls,
    keepsWinners: true,
  });
  const grpcTargets = serves.map(({ grpcPort }) => ({ host: '127.0.0.1', port: grpcPort, path: CLAIM_PATH }));
  return [
    { ...job('grpc', serves[0]?.grpcPort ?? 0, first, half), targets: grpcTargets },
    ...serves.map((serve, index) => ({
      ...job('connect', serve.httpPort, first + half + index * share, share),
      connections: HTTP_CONNECTIONS / serves.length,
    })),
  ];
}

/** Adds up what the generators saw and holds it against the ledger's and the archive's count. */
export function summarizeSale(
  results: readonly LoadResult[],
  counted: { readonly issued: number; readonly archived: number | undefined },
  seconds: number,
): FlashSaleResult {
  const winners = results.flatMap((result) => result.winners ?? []);
  const calls = results.reduce((sum, result) => sum + result.calls, 0);
  const given = Math.max(winners.length, counted.issued, counted.archived ?? 0);
  const outcomes = addOutcomes(results);
  return {
    ...FLASH_SALE,
    wins: winners.length,
    oversold: Math.max(0, given - FLASH_SALE.stock),
    duplicates: winners.length - new Set(winners).size,
    unanswered: FLASH_SALE.claims - properAnswers(outcomes),
    claimsPerSecond: calls / seconds,
    outcomes,
  };
}

/** OK and FAILED_PRECONDITION over gRPC, and their counterparts over HTTP. */
const PROPER_OUTCOMES = ['0', '9', '200', '400'];

function properAnswers(outcomes: Readonly<Record<string, number>>): number {
  return PROPER_OUTCOMES.reduce((sum, outcome) => sum + (outcomes[outcome] ?? 0), 0);
}

function addOutcomes(results: readonly LoadResult[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [outcome, count] of results.flatMap((result) => Object.entries(result.outcomes))) {
    sums[outcome] = (sums[outcome] ?? 0) + count;
  }
  return sums;
}
