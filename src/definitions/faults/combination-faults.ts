import type { ItemSelection } from '../../gen/hongbao/v1/effect_pb.ts';
import type { Promotion } from '../../gen/hongbao/v1/promotion_pb.ts';
import type { FaultFinder, Report } from './report.ts';
import { rulePath } from './rule-path.ts';

/** Contradictions between the effect and the rules, and between rules of different kinds. */
export const combinationFaults: FaultFinder = (promotion, report) => {
  giftRuleFaults(promotion, report);
  noThresholdFaults(promotion, report);
  orderCountFaults(promotion, report);
  emptyScopeFaults(promotion, report);
};

function giftRuleFaults({ effect, rules }: Promotion, report: Report): void {
  if (effect?.kind.case === 'giftItems') return;
  for (const [index, { kind }] of rules.entries()) {
    if (kind.case !== 'conditionalGiftItem' && kind.case !== 'spendForGift') continue;
    report(rulePath(index, kind.case), 'asks for a gift, but the effect gives none (gift_items)');
  }
}

function noThresholdFaults({ effect, rules }: Promotion, report: Report): void {
  if (effect?.kind.case !== 'noThresholdVoucher') return;
  for (const [index, { kind }] of rules.entries()) {
    if (kind.case !== 'minimumSpend') continue;
    report(rulePath(index, kind.case), 'a voucher without threshold has no minimum spend');
  }
}

function orderCountFaults({ rules }: Promotion, report: Report): void {
  if (!rules.some(({ kind }) => kind.case === 'firstOrder')) return;
  for (const [index, { kind }] of rules.entries()) {
    if (kind.case !== 'nthOrder' || kind.value.nth === 1) continue;
    report(`${rulePath(index, kind.case)}.nth`, 'contradicts the first_order rule');
  }
}

function emptyScopeFaults({ rules }: Promotion, report: Report): void {
  const excluded = excludedIds(rules);
  for (const [index, { kind }] of rules.entries()) {
    if (kind.case !== 'itemDiscountScope') continue;
    const ids = idsOf(kind.value.selection);
    if (ids.length > 0 && ids.every((id) => excluded.has(id))) {
      report(
        `${rulePath(index, kind.case)}.selection`,
        'is empty: everything in it is excluded by another rule',
      );
    }
  }
}

function excludedIds(rules: Promotion['rules']): ReadonlySet<string> {
  return new Set(rules.flatMap(({ kind }) => (kind.case === 'exclusion' ? idsOf(kind.value.selection) : [])));
}

/** Items and categories with a letter before them: an item and a category may have the same id. */
function idsOf(selection: ItemSelection | undefined): string[] {
  const items = selection?.itemIds.map((id) => `i${id}`) ?? [];
  return [...items, ...(selection?.categoryIds.map((id) => `c${id}`) ?? [])];
}
