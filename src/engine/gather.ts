import type { CandidateSource, Failure } from '../domain/decision.ts';
import { checkCoupon } from './check/check-coupon.ts';
import { compareTexts } from './compare-texts.ts';
import { type Contender, contenderOf } from './contender.ts';
import type { EvaluationInput, HeldCoupon, ResolvedCode } from './evaluation-input.ts';
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
  for (const code of typedCodes(input)) contenders.push(ofCode(code, table, input.resolvedCodes));
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

/** A public code counts before a single-use one of the same letters. */
function ofCode(code: string, table: RuleTable, resolved: readonly ResolvedCode[] | undefined): Contender {
  const source: CandidateSource = { kind: 'code', code };
  const promotion = table.byCode(code);
  if (promotion !== undefined) return contenderOf(promotion, source);
  const found = resolved?.find((each) => each.code === code);
  return found === undefined
    ? nameless(source, { reason: 'CODE_UNKNOWN' })
    : ofResolvedCode(found, source, table);
}

/** A code of a promotion that is gone says so, unless somebody has used it. */
function ofResolvedCode(
  { promotionRef, state }: ResolvedCode,
  source: CandidateSource,
  table: RuleTable,
): Contender {
  const promotion = table.currentOf(promotionRef);
  const taken: Failure | undefined = state === 'taken' ? { reason: 'CODE_USED' } : undefined;
  if (promotion === undefined) return nameless(source, taken ?? { reason: 'PROMOTION_NOT_FOUND' });
  const contender = contenderOf(promotion, source);
  return taken === undefined ? contender : { ...contender, failure: taken };
}

function nameless(source: CandidateSource, failure: Failure): Contender {
  return { source, promotionId: '', promotionVersion: 0, expiresAtMs: Infinity, failure };
}
