/** Events about users: what each one does. */
import { epochMs } from '../domain/epoch-ms.ts';
import { mergeFacts, type StoredFacts, withOrders } from '../domain/user-facts.ts';
import { NO_ORDERS } from '../domain/user-facts-orders.ts';
import {
  type Birthday,
  type EventEffect,
  EventEffectKind,
  type FactsChanged,
  type MemberLevelReached,
  type Referral,
  type UserRegistered,
} from '../gen/hongbao/v1/event_service_pb.ts';
import { birthdayYear, localDate } from './birthdays.ts';
import { type ChangedFacts, changeFacts } from './change-facts.ts';
import { effectOf } from './event-effect.ts';
import type { EventPorts } from './event-ports.ts';
import { factsStatement } from './facts-statement.ts';
import { grantCoupons } from './grant-coupons.ts';
import { BIRTHDAY_LATE_MS } from './limits.ts';
import { grantingAtLevel, grantingOn } from './occasions.ts';
import { noteReferral } from './referral.ts';

/** The circumstances of an event. */
export interface Circumstances {
  readonly eventId: string;
  readonly userId: string;
  /** When it happened, ms since the epoch. */
  readonly occurredAtMs: number;
  /** Attempts at it, this one included. */
  readonly attempts: number;
}

/** Facts that an earlier attempt changed are a change of this event too. */
function factsEffects({ userId, attempts }: Circumstances, { isChanged }: ChangedFacts): EventEffect[] {
  return isChanged || attempts > 1 ? [effectOf(EventEffectKind.FACTS_CHANGED, userId)] : [];
}

/** The user is known from now on, with no order until one is told of. */
function known(facts: StoredFacts): StoredFacts {
  return facts.orders === undefined ? withOrders(facts, NO_ORDERS) : facts;
}

/** A user registered: facts, newcomer coupons, and the referral when somebody brought him. */
export async function userRegistered(
  ports: EventPorts,
  circumstances: Circumstances,
  event: UserRegistered,
  deadlineMs: number,
): Promise<EventEffect[]> {
  const { userId, occurredAtMs } = circumstances;
  const statement = factsStatement(event.facts, occurredAtMs);
  const registeredAtMs = epochMs(event.registeredAt) ?? statement.registeredAtMs ?? occurredAtMs;
  const changed = await changeFacts(
    ports,
    userId,
    (facts) => known(mergeFacts(facts, { ...statement, registeredAtMs })),
    deadlineMs,
  );
  const { inviterUserId } = event;
  const newcomer = {
    userId,
    promotions: grantingOn(ports.rules.current, 'registration', ports.nowMs()),
    source: 'system',
    key: ['registration'],
  } as const;
  const effects = factsEffects(circumstances, changed);
  effects.push(...(await grantCoupons(ports, newcomer, deadlineMs)));
  if (inviterUserId !== '')
    effects.push(...(await noteReferral(ports, { userId, inviterUserId, atMs: occurredAtMs }, deadlineMs)));
  return effects;
}

/** Facts changed: they are merged with what is known. */
export async function factsChanged(
  ports: EventPorts,
  circumstances: Circumstances,
  { facts, whole }: FactsChanged,
  deadlineMs: number,
): Promise<EventEffect[]> {
  const statement = factsStatement(facts, circumstances.occurredAtMs, whole);
  const changed = await changeFacts(
    ports,
    circumstances.userId,
    (before) => mergeFacts(before, statement),
    deadlineMs,
  );
  return factsEffects(circumstances, changed);
}

/** A member level was reached: it is a fact, and gives coupons once per level. */
export async function memberLevelReached(
  ports: EventPorts,
  circumstances: Circumstances,
  { level }: MemberLevelReached,
  deadlineMs: number,
): Promise<EventEffect[]> {
  const { userId, occurredAtMs } = circumstances;
  const statement = { atMs: occurredAtMs, whole: false, level, attributes: new Map() };
  const changed = await changeFacts(ports, userId, (facts) => mergeFacts(facts, statement), deadlineMs);
  const reached = {
    userId,
    promotions: grantingAtLevel(ports.rules.current, level, ports.nowMs()),
    source: 'activity',
    key: ['level', level],
  } as const;
  return [...factsEffects(circumstances, changed), ...(await grantCoupons(ports, reached, deadlineMs))];
}

/** A birthday: a coupon once a year. One that is told when it is long over gives nothing. */
export async function birthday(
  ports: EventPorts,
  { userId, occurredAtMs }: Circumstances,
  { date }: Birthday,
  deadlineMs: number,
): Promise<EventEffect[]> {
  const nowMs = ports.nowMs();
  if (nowMs - occurredAtMs > BIRTHDAY_LATE_MS) return [];
  const day = localDate(occurredAtMs, ports.settings.timeZone);
  const year = birthdayYear(date || day, day);
  const promotions = grantingOn(ports.rules.current, 'birthday', nowMs);
  return await grantCoupons(
    ports,
    { userId, promotions, source: 'system', key: ['birthday', year] },
    deadlineMs,
  );
}

/** The user was brought by another. */
export async function referral(
  ports: EventPorts,
  { userId, occurredAtMs }: Circumstances,
  { inviterUserId }: Referral,
  deadlineMs: number,
): Promise<EventEffect[]> {
  return await noteReferral(ports, { userId, inviterUserId, atMs: occurredAtMs }, deadlineMs);
}
