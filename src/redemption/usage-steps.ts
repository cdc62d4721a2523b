/**
 * The steps that count uses of promotions and what they cost, within their limits, and take the counts back. Uses in all,
 * money, and uses by the user are always counted, so that a limit that is set later is right at once; days, weeks and months
 * are counted while they are limited.
 */
import type { RedemptionPromotion } from '../domain/redemption.ts';
import { Refusal, type RefusalReason } from '../domain/refusal.ts';
import type { Limits } from '../gen/hongbao/v1/availability_pb.ts';
import type { UsageCounter } from '../ledger/leases/usage-lease.ts';
import { USAGE_FIELDS, userUsesField } from '../ledger/record-fields.ts';
import { accountOf, type RecordName, type Step, usageOf } from '../ledger/transaction.ts';
import { lentOf, type SharedUsage } from './shared-usage.ts';
import { type PeriodKind, type UsePeriod, usePeriod } from './use-periods.ts';

/** How often and for how much a promotion may be used; absent = unlimited. Money in minor units. */
export interface UseLimits {
  readonly total?: number;
  readonly perUser?: number;
  readonly periods: readonly { readonly kind: PeriodKind; readonly uses: number }[];
  readonly budgetMinor?: number;
  /** IANA zone of the periods. */
  readonly timeZone: string;
}

/** A use that is to be counted. */
export interface Use {
  readonly promotionId: string;
  readonly promotionRef: number;
  readonly discountMinor: number;
  readonly limits: UseLimits;
}

/** Why a use could not be counted: whose it was, and the refusal that says so. */
export interface ExhaustedUse {
  readonly use: Use;
  readonly refusal: Refusal;
  readonly seen: number;
  /** The limit is shared with other partitions, which may have so many units left. */
  readonly shared?: { readonly counter: UsageCounter; readonly units: number };
  /** The same with what all partitions count. */
  counted(seen: number): ExhaustedUse;
}

/** Uses as they are to be counted. */
export interface UsagePlan {
  readonly steps: readonly Step[];
  /** Of each use, in order, the period fields that are counted. */
  readonly periods: readonly (readonly string[])[];
  /** The instants at which this is right; a decision outside them must be planned again. */
  readonly fromMs: number;
  readonly toMs: number;
  /** What the step at this place of `steps` ran into; undefined when it is no step with a limit. */
  exhaustedAt(step: number, seen: number): ExhaustedUse | undefined;
}

const LAST_INSTANT_MS = 2 ** 48 - 1;
/** A counter that is lost must not keep an order from giving its uses back. */
const NO_FLOOR = Number.MIN_SAFE_INTEGER;

/** The limits in a promotion; none at all when it states none. */
export function useLimits(limits: Limits | undefined): UseLimits {
  const periods = [
    { kind: 'day' as const, uses: limits?.usesPerDay },
    { kind: 'week' as const, uses: limits?.usesPerWeek },
    { kind: 'month' as const, uses: limits?.usesPerMonth },
  ];
  return {
    ...(limits?.usesTotal !== undefined && { total: Number(limits.usesTotal) }),
    ...(limits?.usesPerUser !== undefined && { perUser: Number(limits.usesPerUser) }),
    ...(limits?.budget !== undefined && { budgetMinor: Number(limits.budget.amountMinor) }),
    periods: periods.flatMap(({ kind, uses }) => (uses === undefined ? [] : [{ kind, uses: Number(uses) }])),
    timeZone: limits?.timeZone || 'UTC',
  };
}

/** One counter that grows, and what is said when it may not. */
interface Counted {
  /** The last of them makes it grow. */
  readonly steps: readonly Step[];
  readonly use: Use;
  readonly reason: RefusalReason;
  readonly metadata: (seen: number) => Record<string, string>;
  readonly shared?: { readonly counter: UsageCounter; readonly units: number };
}

function addStep(on: RecordName, field: Buffer, delta: number, max: number | undefined): Step {
  return { kind: 'add', on, field, delta, ...(max !== undefined && { max }) };
}

/** How a counter of a promotion grows: within its limit, or within what its partition was lent of that. */
function growth(
  promotionRef: number,
  field: Buffer,
  delta: number,
  limit: number | undefined,
  shared: SharedUsage,
): Pick<Counted, 'steps' | 'shared'> {
  const on = usageOf(promotionRef);
  if (shared === undefined || limit === undefined) return { steps: [addStep(on, field, delta, limit)] };
  const counter = { promotionRef, counter: field.toString('latin1'), limit };
  const { before, max } = lentOf(shared, counter);
  return { steps: [...before, addStep(on, field, delta, max)], shared: { counter, units: delta } };
}

function countedUses(
  use: Use,
  userId: string,
  periods: readonly UsePeriod[],
  shared: SharedUsage,
): Counted[] {
  const { promotionRef, promotionId, discountMinor, limits } = use;
  const uses = (period: string, max: number | undefined) => (seen: number) => ({
    promotion_id: promotionId,
    period,
    needed: String(max),
    seen: String(seen),
  });
  const user = accountOf(userId);
  const { total, perUser, budgetMinor } = limits;
  return [
    {
      ...growth(promotionRef, USAGE_FIELDS.uses.bytes, 1, total, shared),
      use,
      reason: 'USES_EXHAUSTED',
      metadata: uses('total', total),
    },
    ...limits.periods.map(({ kind, uses: max }, index): Counted => {
      const field = Buffer.from(periods[index]?.field ?? '');
      return {
        ...growth(promotionRef, field, 1, max, shared),
        use,
        reason: 'USES_EXHAUSTED',
        metadata: uses(kind, max),
      };
    }),
    {
      steps: [addStep(user, userUsesField(promotionRef), 1, perUser)],
      use,
      reason: 'USER_USES_EXHAUSTED',
      metadata: (seen) => ({ promotion_id: promotionId, needed: String(perUser), seen: String(seen) }),
    },
    {
      ...growth(promotionRef, USAGE_FIELDS.money.bytes, discountMinor, budgetMinor, shared),
      use,
      reason: 'BUDGET_EXHAUSTED',
      metadata: (seen) => ({
        promotion_id: promotionId,
        needed: String(discountMinor),
        seen: String(Math.max(0, (budgetMinor ?? 0) - seen)),
      }),
    },
  ];
}

const MESSAGES: Partial<Record<RefusalReason, string>> = {
  USES_EXHAUSTED: 'The promotion was used as often as it may be',
  USER_USES_EXHAUSTED: 'The user has used the promotion as often as one user may',
  BUDGET_EXHAUSTED: 'The discount is more than is left of the budget of the promotion',
};

/** The use a counter could not count, which came to so much. */
function exhaustedUse(counted: Counted, seen: number): ExhaustedUse {
  const { use, reason, metadata, shared } = counted;
  return {
    use,
    seen,
    refusal: new Refusal(reason, MESSAGES[reason] ?? reason, { metadata: metadata(seen) }),
    ...(shared !== undefined && { shared }),
    counted: (seenByAll) => exhaustedUse(counted, seenByAll),
  };
}

/**
 * Plans to count uses by a user at about `nowMs` (the ledger's clock).
 *
 * @param shared what the user's partition was lent, where it is not the only one
 */
export function countUses(
  uses: readonly Use[],
  userId: string,
  nowMs: number,
  shared?: SharedUsage,
): UsagePlan {
  const periods = uses.map(({ limits }) =>
    limits.periods.map(({ kind }) => usePeriod(kind, limits.timeZone, nowMs)),
  );
  const counted = uses.flatMap((use, index) => countedUses(use, userId, periods[index] ?? [], shared));
  const byStep = counted.flatMap((one) => one.steps.map(() => one));
  const all = periods.flat();
  return {
    steps: counted.flatMap(({ steps }) => steps),
    periods: periods.map((some) => some.map(({ field }) => field)),
    fromMs: Math.max(0, ...all.map(({ fromMs }) => fromMs)),
    toMs: Math.min(LAST_INSTANT_MS, ...all.map(({ toMs }) => toMs)),
    exhaustedAt: (step, seen) => {
      const found = byStep[step];
      return found && exhaustedUse(found, seen);
    },
  };
}

/** Takes the counts of these uses back, but for those given back already. */
export function giveBackUses(promotions: readonly RedemptionPromotion[], userId: string): Step[] {
  return promotions
    .filter(({ givenBack }) => !givenBack)
    .flatMap(({ promotionRef, discountMinor, periods }) => {
      const usage = usageOf(promotionRef);
      const back = (on: typeof usage, field: Buffer, delta: number): Step => {
        return { kind: 'add', on, field, delta, min: NO_FLOOR };
      };
      return [
        back(usage, USAGE_FIELDS.uses.bytes, -1),
        back(usage, USAGE_FIELDS.money.bytes, -discountMinor),
        back(accountOf(userId), userUsesField(promotionRef), -1),
        ...periods.map((field) => back(usage, Buffer.from(field), -1)),
      ];
    });
}
