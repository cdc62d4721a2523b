/** The service with ten thousand promotions in force, and one of its answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fromBinary } from '@bufbuild/protobuf';
import { EvaluateCartResponseSchema } from '../../src/gen/hongbao/v1/cart_service_pb.ts';
import { EVALUATE_PATH } from '../contenders/cart-messages.ts';
import { connectHeaders } from '../contenders/claim-messages.ts';
import { lightRequests } from '../contenders/evaluate-loads.ts';
import { loadRuleSet } from '../product/load-rule-set.ts';
import type { Product, ServeProcess } from '../product/product.ts';
import { LIVE_COUNT, MATCHING_COUNT } from '../rule-sets/live-promotions.ts';
import { ruleSet } from '../rule-sets/rule-set.ts';
import { COUPON_PROMOTIONS, couponPromotions } from '../rule-sets/wallets.ts';
import type { EvaluateSetting } from './beside-heavy.ts';

/** Idle promotions in the service. */
export const SERVICE_IDLE = 10_000;

/** Time the service may take until it decides by all of them. */
const LOAD_LIMIT_MS = 60_000;
const POLL_MS = 100;

/** What a running service is measured with. */
export interface StartedService {
  readonly setting: EvaluateSetting;
  /** The answer of middle size among those to the light requests, for the echo to give. */
  readonly answer: Buffer;
}

/** Puts the promotions in and waits until they decide. */
export async function startService(product: Product, serve: ServeProcess): Promise<StartedService> {
  const rules = ruleSet(SERVICE_IDLE);
  const offset = LIVE_COUNT + SERVICE_IDLE;
  const coupons = couponPromotions(COUPON_PROMOTIONS).map((promotion) => ({
    ...promotion,
    ref: promotion.ref + offset,
    id: `bench-coupon-${promotion.ref}`,
  }));
  const { version, refs } = await loadRuleSet(product.databaseUrl, [...rules, ...coupons]);
  const couponRefs = new Map([...refs].map(([ref, given]) => [ref - offset, given]));
  const { checkout, admin } = product.tokens;
  await waitUntilInForce(serve, checkout, version);
  return {
    setting: { serve, checkoutToken: checkout, adminToken: admin, couponRefs },
    answer: await middleAnswer(serve, checkout),
  };
}

async function waitUntilInForce(serve: ServeProcess, token: string, version: number): Promise<void> {
  const endsMs = performance.now() + LOAD_LIMIT_MS;
  for (;;) {
    const [answer] = await answers(serve, token, 1);
    const decision = fromBinary(EvaluateCartResponseSchema, answer ?? Buffer.alloc(0));
    if (Number(decision.ruleSetVersion) >= version) return requireMatches(decision.applied.length);
    if (performance.now() > endsMs) {
      throw new Error(
        `the service decides by version ${decision.ruleSetVersion}, not ${version}, after ${LOAD_LIMIT_MS} ms`,
      );
    }
    await sleep(POLL_MS);
  }
}

/** Of the matching promotions only two, those of a group of three, may be left out; else the service decides something else. */
function requireMatches(applied: number): void {
  if (applied < MATCHING_COUNT - 2)
    throw new Error(`only ${applied} of ${MATCHING_COUNT} promotions were applied by the service`);
}

async function middleAnswer(serve: ServeProcess, token: string): Promise<Buffer> {
  const sorted = (await answers(serve, token)).toSorted((a, b) => a.length - b.length);
  return sorted[Math.floor(sorted.length / 2)] ?? Buffer.alloc(0);
}

/** The service's answers to the light requests, or the first few of them; over Connect, which carries bare messages. */
async function answers(serve: ServeProcess, token: string, most?: number): Promise<Buffer[]> {
  const { template, variants } = lightRequests();
  const bodies = [template, ...variants].slice(0, most);
  return await Promise.all(
    bodies.map(async ({ base64 }) => {
      const response = await fetch(`http://127.0.0.1:${serve.httpPort}${EVALUATE_PATH}`, {
        method: 'POST',
        headers: connectHeaders(token),
        body: Buffer.from(base64, 'base64'),
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      if (!response.ok) throw new Error(`EvaluateCart: ${response.status} ${bytes}`);
      return bytes;
    }),
  );
}
