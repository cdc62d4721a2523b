/** A cart with everything conditions ask about worked out before. Other engines are given this, and its making is not timed. */
import type { EvaluationInput } from '../../src/engine/evaluation-input.ts';
import { categoryKey, itemKey } from './conditions.ts';

/** Plain values only: it crosses into native code. */
export interface CartFacts {
  readonly atMs: number;
  readonly channel: string;
  readonly tags: readonly string[];
  /** Keys of all items and categories in the cart, each once. */
  readonly keys: readonly string[];
  readonly subtotalMinor: number;
  /** Subtotal of the lines with each key. */
  readonly spendByKey: Readonly<Record<string, number>>;
}

/** The facts of an input. */
export function cartFacts({ cart, facts, atMs }: EvaluationInput): CartFacts {
  const spendByKey: Record<string, number> = {};
  let subtotalMinor = 0;
  for (const line of cart.lines) {
    const amount = line.quantity * line.unitPriceMinor;
    subtotalMinor += amount;
    for (const key of new Set([itemKey(line.itemId), ...line.categoryIds.map(categoryKey)])) {
      spendByKey[key] = (spendByKey[key] ?? 0) + amount;
    }
  }
  return {
    atMs,
    channel: cart.channel ?? '',
    tags: [...(facts.tags ?? [])],
    keys: Object.keys(spendByKey),
    subtotalMinor,
    spendByKey,
  };
}
