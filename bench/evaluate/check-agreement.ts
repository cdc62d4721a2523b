/** All engines must give the same answers before any is timed: a faster wrong answer is no answer. */
import type { EngineKey } from '../core/engines/engine.ts';
import { runCoreJob } from '../core/run-core-job.ts';
import { CART_SIZES } from '../rule-sets/carts.ts';
import { RULE_SET_SIZES } from '../rule-sets/rule-set.ts';
import { COMPARED_IDLE } from './core-rounds.ts';

/** Throws when any engine differs from the loop about any cart, or when no promotion matches. Returns the answers compared. */
export async function checkAgreement(): Promise<number> {
  let compared = 0;
  for (const idle of RULE_SET_SIZES) {
    const others: EngineKey[] =
      idle === COMPARED_IDLE ? ['ours', 'ours_matching', 'json_rules_engine', 'zen_engine'] : ['ours'];
    const expected = await ask('plain_loop', idle);
    for (const engine of others) {
      const answers = await ask(engine, idle);
      requireEqual(engine, idle, answers, expected);
      compared += answers.length;
    }
  }
  return compared;
}

async function ask(engine: EngineKey, idle: number): Promise<readonly (readonly string[])[]> {
  return (await runCoreJob({ kind: 'matches', engine, idle, cartLines: CART_SIZES })).carts;
}

/** Fails with the first difference. */
export function requireEqual(
  engine: string,
  idle: number,
  answers: readonly (readonly string[])[],
  expected: readonly (readonly string[])[],
): void {
  for (const [cart, ids] of expected.entries()) {
    const others = answers[cart] ?? [];
    if (ids.length > 0 && others.join(' ') === ids.join(' ')) continue;
    const missing = ids.filter((id) => !others.includes(id));
    const extra = others.filter((id) => !ids.includes(id));
    throw new Error(
      `${engine} with ${idle} idle promotions, cart ${cart}: misses ${missing.join(' ')}; has too many ${extra.join(' ')}`,
    );
  }
}
