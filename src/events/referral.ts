/** Referrals: a user was brought by another, and one or both get coupons for it. */
import { Refusal } from '../domain/refusal.ts';
import { type StoredFacts, withInviter } from '../domain/user-facts.ts';
import { ReferralMoment } from '../gen/hongbao/v1/availability_pb.ts';
import { type EventEffect, EventEffectKind } from '../gen/hongbao/v1/event_service_pb.ts';
import { changeFacts } from './change-facts.ts';
import { effectOf } from './event-effect.ts';
import type { EventPorts } from './event-ports.ts';
import { grantCoupons } from './grant-coupons.ts';
import { grantingForReferral, type ReferralSide } from './occasions.ts';

/** Who brought whom, and when. */
export interface ReferralTold {
  readonly userId: string;
  readonly inviterUserId: string;
  readonly atMs: number;
}

const SIDES: readonly ReferralSide[] = ['inviter', 'invitee'];

/**
 * Notes who brought the user, and gives the coupons. Nobody brings himself, and whoever is told first as the inviter stays.
 * Throws USER_NOT_FOUND when the user was erased, LEDGER_*, ARCHIVE_UNAVAILABLE.
 */
export async function noteReferral(
  ports: EventPorts,
  { userId, inviterUserId, atMs }: ReferralTold,
  deadlineMs: number,
): Promise<EventEffect[]> {
  const noted = (refusal?: Refusal): EventEffect =>
    effectOf(EventEffectKind.REFERRAL_NOTED, userId, refusal && { refusal });
  if (inviterUserId === userId) return [noted(new Refusal('SELF_REFERRAL', 'Nobody can bring himself'))];
  const { facts } = await changeFacts(
    ports,
    userId,
    (known) => withInviter(known, inviterUserId),
    deadlineMs,
  );
  if (facts.inviterUserId !== inviterUserId)
    return [noted(new Refusal('ALREADY_REFERRED', 'The user was brought by another before'))];
  const moments: ReferralMoment[] = [ReferralMoment.REGISTRATION];
  if (hadFirstOrderBy(facts, atMs)) moments.push(ReferralMoment.FIRST_ORDER);
  const effects = [noted()];
  for (const moment of moments)
    effects.push(...(await rewardReferral(ports, { userId, inviterUserId }, moment, deadlineMs)));
  return effects;
}

/** Whether a referral at this moment was overtaken by the first order, which then gave nothing for it. */
function hadFirstOrderBy({ orders }: StoredFacts, referredAtMs: number): boolean {
  const firstMs = orders?.stated === 0 ? orders.recentMs[0] : undefined;
  return firstMs !== undefined && firstMs >= referredAtMs;
}

/** Gives both sides what the promotions of a moment give. Throws when trying again may help. */
export async function rewardReferral(
  ports: EventPorts,
  { userId, inviterUserId }: Pick<ReferralTold, 'userId' | 'inviterUserId'>,
  moment: ReferralMoment,
  deadlineMs: number,
): Promise<EventEffect[]> {
  const effects: EventEffect[] = [];
  for (const side of SIDES) {
    const occasion = {
      userId: side === 'inviter' ? inviterUserId : userId,
      promotions: grantingForReferral(ports.rules.current, moment, side, ports.nowMs()),
      source: 'referral',
      key: ['referral', userId, side],
      isBeforeFirstOrder: side === 'invitee',
    } as const;
    effects.push(...(await grantCoupons(ports, occasion, deadlineMs)));
  }
  return effects;
}
