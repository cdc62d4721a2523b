import type { Failure } from '../../domain/decision.ts';
import type { LineList, PreparedCart } from '../prepared-cart.ts';
import type { RuleCompiler } from '../rule-parts.ts';

const NO_LINES: LineList = [];

/** What happens to lines that are on sale already: they count, they are left out, or they refuse the promotion. */
export const saleItems: RuleCompiler<'sale_items'> = {
  kind: 'sale_items',
  compile({ handling }) {
    switch (handling) {
      case 'count':
        return {};
      case 'excluded':
        return { excluded: { linesOf: linesOnSale } };
      case 'refuse':
        return { check: ({ cart }) => refusal(cart) };
    }
  },
};

function linesOnSale({ lines }: PreparedCart): LineList {
  let found: number[] | undefined;
  for (let place = 0; place < lines.length; place += 1) {
    if (lines[place]?.isOnSale !== true) continue;
    if (found === undefined) found = [place];
    else found.push(place);
  }
  return found ?? NO_LINES;
}

function refusal({ lines }: PreparedCart): Failure | undefined {
  for (const line of lines) {
    if (line.isOnSale) return { reason: 'SALE_ITEM_PRESENT', seen: line.itemId };
  }
  return undefined;
}
