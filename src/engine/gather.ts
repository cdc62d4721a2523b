import type { CandidateSource, Failure } from '../domain/decision.ts';
import { checkCoupon } from './check/check-coupon.ts';
import { compareTexts } from './compare-texts.ts';
import { type Contender, contenderOf } from './contender.ts';
import type { EvaluationInput, HeldCoupon } from './evaluation-input.ts';
import { normalisedCode } from './normalised-code.ts';
import type { Occasion } from './occasion.ts';
import type { RuleTable } from './rule-table.ts';

/** Everything an evaluation must account for: automatic promotions by ref, then what is {@link namedContenders named}. */
export function gatherContenders(table: RuleTable, input: EvaluationInput, occasion: Occasion): Contender[] {
  const contenders = table.index.find(occasion);
  for (const named of namedContenders(table, input)) contenders.push(named);
  return contenders;
}

/** What the caller brings: coupons by id, then wanted coupons nobody knows, then codes by themselves. */
export function namedContenders(table: RuleTable, input: EvaluationInput): Contender[] {
  const contenders: Contender[] = [];
  for (const coupon of sortedCoupons(input.coupons)) contenders.push(ofCoupon(coupon, table, input.atMs));
  if (input.selection.kind === 'own') contenders.push(...unknownCoupons(input, input.selection.couponIds));
  for (const code of typedCodes(input)) contenders.push(ofCode(code, table));
  return contenders;
}

function sortedCoupons(coupons: readonly HeldCoupon[]): readonly HeldCoupon[] {
  return coupons.length < 2
    ? coupons
    : coupons.toSorted((left, right) => compareTexts(left.couponId, right.couponId));
}

function ofCoupon(coupon: HeldCoupon, table: RuleTable, atMs: number): Contender {
  const source: CandidateSource = { kind: 'coupon', couponId: coupon.couponId };
  const name = { ref: coupon.promotionRef, version: coupon.promotionVersion };
  const promotion = table.versionOf(name);
  const failure =
    checkCoupon(coupon, atMs) ?? (promotion === undefined ? { reason: 'PROMOTION_NOT_FOUND' } : undefined);
  return {
    source,
    promotionId: (promotion ?? table.currentOf(name.ref))?.definition.id ?? '',
    promotionVersion: name.version,
    expiresAtMs: coupon.expiresAtMs ?? Infinity,
    ...(promotion === undefined ? {} : { promotion }),
    ...(failure === undefined ? {} : { failure }),
  };
}

function unknownCoupons({ coupons }: EvaluationInput, wanted: readonly string[]): Contender[] {
  const known = new Set(coupons.map(({ couponId }) => couponId));
  return [...new Set(wanted)]
    .filter((couponId) => !known.has(couponId))
    .sort(compareTexts)
    .map((couponId) => nameless({ kind: 'coupon', couponId }, { reason: 'COUPON_NOT_FOUND' }));
}

/** The codes as they are compared, each once and sorted. */
function typedCodes({ codes, selection }: Pick<EvaluationInput, 'codes' | 'selection'>): string[] {
  if (codes.length === 0 && selection.kind === 'best') return [];
  const all = selection.kind === 'own' ? [...codes, ...selection.codes] : codes;
  return [...new Set(all.map(normalisedCode))].sort(compareTexts);
}

function ofCode(code: string, table: RuleTable): Contender {
  const source: CandidateSource = { kind: 'code', code };
  const promotion = table.byCode(code);
  return promotion === undefined
    ? nameless(source, { reason: 'CODE_UNKNOWN' })
    : contenderOf(promotion, source);
}

function nameless(source: CandidateSource, failure: Failure): Contender {
  return { source, promotionId: '', promotionVersion: 0, expiresAtMs: Infinity, failure };
}
