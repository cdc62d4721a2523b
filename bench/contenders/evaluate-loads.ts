/** The loads of evaluations over gRPC: light carts, and the heavy requests that must not slow them down. */
import type { EvaluationInput } from '../../src/engine/evaluation-input.ts';
import type { LoadJob } from '../load/job.ts';
import type { RequestTemplate } from '../load/template.ts';
import type { WatchedGroup } from '../processes/cpu-time.ts';
import { benchCart, benchInput, benchInputs } from '../rule-sets/carts.ts';
import { wallet } from '../rule-sets/wallets.ts';
import { EVALUATE_PATH, evaluateTemplate } from './cart-messages.ts';
import { grpcHeaders } from './claim-messages.ts';
import type { Window } from './contender.ts';
import { GRPC_CALLS_PER_CONNECTION, GRPC_CONNECTIONS } from './loads.ts';

/** Lines of a light cart. */
export const LIGHT_LINES = 20;

/** Heavy requests: carts as large as the contract allows, and wallets that need a long search. */
export const HEAVY_LINES = 5_000;
export const HEAVY_COUPONS = 50;
const HEAVY_COUPONS_PER_ORDER = 3;

/** Heavy requests of each sort sent in turn. */
const HEAVY_VARIANTS = 4;

/** Requests sent in turn. */
export interface Requests {
  readonly template: RequestTemplate;
  readonly variants: readonly RequestTemplate[];
}

/** Carts of 20 lines without a wallet, of different prices and quantities. */
export function lightRequests(): Requests {
  return inTurn(benchInputs(LIGHT_LINES));
}

/** Large carts and full wallets, by turns. `refs` gives the refs of the coupons' promotions in the service. */
export function heavyRequests(refs: ReadonlyMap<number, number>): Requests {
  return inTurn(
    Array.from({ length: HEAVY_VARIANTS }, (_, variant) => [
      benchInput(benchCart(HEAVY_LINES, variant)),
      walletInput(variant, refs),
    ]).flat(),
  );
}

function walletInput(variant: number, refs: ReadonlyMap<number, number>): EvaluationInput {
  const coupons = wallet(HEAVY_COUPONS, variant).map((coupon) => ({
    ...coupon,
    promotionRef: refs.get(coupon.promotionRef) ?? 0,
  }));
  return benchInput(benchCart(LIGHT_LINES, variant), coupons, HEAVY_COUPONS_PER_ORDER);
}

function inTurn(inputs: readonly EvaluationInput[]): Requests {
  const [template, ...variants] = inputs.map(evaluateTemplate);
  if (template === undefined) throw new Error('a load needs a request');
  return { template, variants };
}

/** Where a load goes, with whose token, for how long. */
export interface EvaluateAim {
  readonly port: number;
  readonly token: string;
  readonly window: Window;
  readonly watch: readonly WatchedGroup[];
  /** Calls are due at this rate; without it the next call starts when one is answered. */
  readonly callsPerSecond?: number;
}

/** The job of sending these requests. The same connections and calls under way as for claims. */
export function evaluateJob(requests: Requests, aim: EvaluateAim): LoadJob {
  return {
    kind: 'grpc-unary',
    targets: [{ host: '127.0.0.1', port: aim.port, path: EVALUATE_PATH }],
    headers: grpcHeaders(EVALUATE_PATH, aim.token),
    ...requests,
    population: { firstSerial: 0 },
    connections: GRPC_CONNECTIONS,
    inFlightPerConnection: GRPC_CALLS_PER_CONNECTION,
    expectedOutcome: '0',
    ...aim.window,
    watch: aim.watch,
    ...(aim.callsPerSecond === undefined ? {} : { callsPerSecond: aim.callsPerSecond }),
  };
}
