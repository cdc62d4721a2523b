import type { Failure } from '../../domain/decision.ts';
import type { PreparedCart } from '../prepared-cart.ts';
import type { RuleCompiler } from '../rule-parts.ts';
import { compileSelection } from '../selection.ts';

/** Certain lines neither count nor are discounted; on request their mere presence refuses the promotion. */
export const exclusion: RuleCompiler<'exclusion'> = {
  kind: 'exclusion',
  compile({ selection, presenceRefuses }, vocabulary) {
    const excluded = compileSelection(selection, vocabulary);
    if (!presenceRefuses) return { excluded };
    return { excluded, check: ({ cart }) => refusal(cart, excluded.firstOf(cart)) };
  },
};

function refusal({ lines }: PreparedCart, place: number): Failure | undefined {
  const line = lines[place];
  return line === undefined ? undefined : { reason: 'EXCLUDED_ITEM_PRESENT', seen: line.itemId };
}
