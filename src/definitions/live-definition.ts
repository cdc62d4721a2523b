import { epochMs } from '../domain/epoch-ms.ts';
import type {
  Acknowledgement,
  LiveDefinition,
  LiveState,
  Target,
  Validity,
} from '../domain/live-definition.ts';
import { AcknowledgementLevel, type Promotion, PromotionState } from '../gen/hongbao/v1/promotion_pb.ts';

/** Claims per user when a promotion says nothing. */
const DEFAULT_PER_USER_LIMIT = 1;

const ACKNOWLEDGEMENTS: Readonly<Record<AcknowledgementLevel, Acknowledgement>> = {
  [AcknowledgementLevel.UNSPECIFIED]: 'durable',
  [AcknowledgementLevel.FAST]: 'fast',
  [AcknowledgementLevel.DURABLE]: 'durable',
  [AcknowledgementLevel.LEDGER]: 'ledger',
};

const STATES: ReadonlyMap<number, LiveState> = new Map<number, LiveState>([
  [PromotionState.INACTIVE, 'inactive'],
  [PromotionState.ACTIVE, 'active'],
  [PromotionState.FINISHED, 'finished'],
  [PromotionState.DELETED, 'deleted'],
]);

/** The state set by hand, as stored and delivered. */
export function liveState(promotion: Promotion): LiveState {
  return STATES.get(promotion.state) ?? 'inactive';
}

/**
 * What the ledger decides claims by. `promotion` is a stored version (its output-only fields are set) without faults,
 * `body` its binary form.
 */
export function liveDefinition(promotion: Promotion, body: Uint8Array): LiveDefinition {
  const { stock } = promotion;
  const claimStartMs = epochMs(stock?.claimStartsAt);
  const claimEndMs = claimWindowEndMs(promotion);
  const perUserLimit = perUserLimitOf(promotion);
  return {
    ref: promotion.ref,
    id: promotion.promotionId,
    version: promotion.version,
    state: liveState(promotion),
    claimable: promotion.reach?.way.case === 'claimable',
    ...(claimStartMs !== undefined && { claimStartMs }),
    ...(claimEndMs !== undefined && { claimEndMs }),
    ...(perUserLimit !== undefined && { perUserLimit }),
    ...(stock?.quantity !== undefined && { quantity: Number(stock.quantity) }),
    acknowledgement: ACKNOWLEDGEMENTS[promotion.acknowledgement] ?? 'durable',
    validity: liveValidity(promotion),
    target: liveTarget(promotion),
    body,
  };
}

/** Claims a user has for life; undefined when unlimited. */
export function perUserLimitOf({ stock }: Promotion): number | undefined {
  return stock?.unlimitedPerUser === true ? undefined : (stock?.perUserLimit ?? DEFAULT_PER_USER_LIMIT);
}

/** The last instant of claims: a coupon that would be expired from the start cannot be claimed either. */
export function claimWindowEndMs({ stock, validity }: Promotion): number | undefined {
  const ends = [epochMs(stock?.claimEndsAt), useWindowEndMs(validity)].filter((end) => end !== undefined);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/** The last instant of use that is the same for everybody; undefined when open or counted from the claim. */
export function useWindowEndMs(validity: Promotion['validity']): number | undefined {
  return validity?.kind.case === 'fixedDates' ? epochMs(validity.kind.value.endsAt) : undefined;
}

function liveValidity({ validity }: Promotion): Validity {
  if (validity?.kind.case === 'daysAfterClaim') return { kind: 'days', days: validity.kind.value.days };
  const dates = validity?.kind.case === 'fixedDates' ? validity.kind.value : undefined;
  const startMs = epochMs(dates?.startsAt);
  const endMs = epochMs(dates?.endsAt);
  return {
    kind: 'fixed',
    ...(startMs !== undefined && { startMs }),
    ...(endMs !== undefined && { endMs }),
  };
}

/** Whom a promotion is for. */
export function liveTarget({ target }: Promotion): Target {
  switch (target?.audience.case) {
    case 'newUsers': {
      const { registeredWithinDays } = target.audience.value;
      return { kind: 'new_users', ...(registeredWithinDays !== undefined && { registeredWithinDays }) };
    }
    case 'taggedUsers':
      return { kind: 'tags', anyOf: target.audience.value.anyOfTags };
    case 'everyone':
    case undefined:
      return { kind: 'everyone' };
  }
}
