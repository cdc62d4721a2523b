import { z } from 'zod';
import type { RefundRequest } from '../../src/domain/refund.ts';
import { REASONS, type RefusalReason } from '../../src/domain/refusal.ts';
import { type GoldenCase, readCase } from '../golden/case-format.ts';

const whole = z.int();
const reasons = z.enum(Object.keys(REASONS) as [RefusalReason, ...RefusalReason[]]);

/** One refund: what goes back, and what the answer must be. What it does not say may be anything. */
const refund = z.strictObject({
  /** Units by line id. */
  back: z.record(z.string(), whole).default({}),
  shipping: z.boolean().default(false),
  policy: z.enum(['keep', 'reevaluate', 'claw_back']).default('keep'),
  refund: whole.exactOptional(),
  /** What is refunded for each line before anything is kept back. */
  lines: z.record(z.string(), whole).exactOptional(),
  shippingRefund: whole.exactOptional(),
  clawBack: whole.exactOptional(),
  gifts: z.array(z.tuple([z.string(), whole])).exactOptional(),
  /** What remains paid. */
  remaining: whole.exactOptional(),
  refused: reasons.exactOptional(),
});

const caseFormat = z.strictObject({
  proves: z.string().regex(/^SPEC [A-Z]\d+/),
  /** The arithmetic that leads to the expected amounts. */
  why: z.string().min(10),
  /** An order, written as the golden cases write a cart with its promotions and coupons. */
  order: z.record(z.string(), z.unknown()),
  /** What the order costs. */
  paid: whole,
  refunds: z.array(refund).min(1),
});

/** One refund of a case. */
export interface RefundStep {
  readonly request: RefundRequest;
  readonly expected: Omit<z.output<typeof refund>, 'back' | 'shipping' | 'policy'>;
}

/** A case: an order, what it costs, and its refunds one after the other. */
export interface RefundCase {
  readonly order: GoldenCase;
  readonly paid: number;
  readonly steps: readonly RefundStep[];
}

/** Reads a case; throws when it is not written as cases are. */
export function readRefundCase(text: unknown): RefundCase {
  const { proves, why, order, paid, refunds } = caseFormat.parse(text);
  const steps = refunds.map(({ back, shipping, policy, ...expected }) => {
    const lines = Object.entries(back).map(([lineId, quantity]) => ({ lineId, quantity }));
    return { request: { lines, shipping, policy }, expected };
  });
  return { order: readCase({ proves, why, expect: {}, ...order }), paid, steps };
}
