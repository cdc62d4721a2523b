/** The client: every service of the contract with sensible behaviour, over whatever transport it is given. */
import { type Client, createClient, type Transport } from '@connectrpc/connect';
import { CartService } from '../gen/hongbao/v1/cart_service_pb.ts';
import { CouponService } from '../gen/hongbao/v1/coupon_service_pb.ts';
import { EventService } from '../gen/hongbao/v1/event_service_pb.ts';
import { InsightService } from '../gen/hongbao/v1/insight_service_pb.ts';
import { JobService } from '../gen/hongbao/v1/job_service_pb.ts';
import { PointsService } from '../gen/hongbao/v1/points_service_pb.ts';
import { PrivacyService } from '../gen/hongbao/v1/privacy_service_pb.ts';
import { PromotionService } from '../gen/hongbao/v1/promotion_service_pb.ts';
import { RedemptionService } from '../gen/hongbao/v1/redemption_service_pb.ts';
import { methodName } from './call-plan.ts';
import { sleep } from './sleep.ts';
import { SteadyTransport } from './steady-transport.ts';
import { TokenKeeper, type TokenSource } from './token-keeper.ts';

const SERVICES = [
  CartService,
  CouponService,
  RedemptionService,
  PointsService,
  EventService,
  PromotionService,
  InsightService,
  JobService,
  PrivacyService,
];

/** A transport that may hold connections. */
export interface ClosableTransport extends Transport {
  /** Ends its connections; calls under way fail. */
  close(): void;
}

/** How a client is made; only the transport is needed. */
export interface HongbaoOptions {
  /** From `hongbao/client/grpc` or `hongbao/client/connect`. */
  readonly transport: ClosableTransport;
  /** Gives the token of the caller; asked again when the service refuses the one it gave. */
  readonly token?: TokenSource;
  /** Headers for each attempt: the trace of the caller (`traceparent`), the language of refusals (`accept-language`). */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** Time for a call with all its attempts, ms, by method: `{ 'CartService.EvaluateCart': 300 }`. */
  readonly deadlines?: Readonly<Record<string, number>>;
  /** How often one call may ask; 1 = never again. */
  readonly maxAttempts?: number;
}

/** Every service of the contract. Calls reject with `HongbaoError`. */
export interface Hongbao {
  readonly carts: Client<typeof CartService>;
  readonly coupons: Client<typeof CouponService>;
  readonly redemptions: Client<typeof RedemptionService>;
  readonly points: Client<typeof PointsService>;
  readonly events: Client<typeof EventService>;
  readonly promotions: Client<typeof PromotionService>;
  readonly insight: Client<typeof InsightService>;
  readonly jobs: Client<typeof JobService>;
  readonly privacy: Client<typeof PrivacyService>;
  /** Ends the connections; calls under way fail. */
  close(): void;
}

/**
 * Makes a client. One per process and service address is enough: it holds the connections and the retry budget.
 *
 * @throws Error when a deadline names no method of the contract.
 */
export function createHongbao(options: HongbaoOptions): Hongbao {
  const { transport, token, deadlines = {}, maxAttempts } = options;
  requireKnown(Object.keys(deadlines));
  const steady = new SteadyTransport({
    inner: transport,
    tokens: token === undefined ? undefined : new TokenKeeper(token),
    headers: options.headers ?? (() => ({})),
    deadlines,
    ...(maxAttempts !== undefined && { maxAttempts }),
    circumstances: {
      now: () => performance.now(),
      sleep,
      random: Math.random,
      newId: () => crypto.randomUUID(),
    },
  });
  return {
    carts: createClient(CartService, steady),
    coupons: createClient(CouponService, steady),
    redemptions: createClient(RedemptionService, steady),
    points: createClient(PointsService, steady),
    events: createClient(EventService, steady),
    promotions: createClient(PromotionService, steady),
    insight: createClient(InsightService, steady),
    jobs: createClient(JobService, steady),
    privacy: createClient(PrivacyService, steady),
    close: () => transport.close(),
  };
}

function requireKnown(names: readonly string[]): void {
  const known = new Set(SERVICES.flatMap(({ methods }) => methods.map(methodName)));
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) throw new Error(`deadlines: the contract has no method ${unknown}`);
}
