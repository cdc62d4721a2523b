/** One attempt at an event: does what it says, then writes down how it went. */
import { setTimeout as sleep } from 'node:timers/promises';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { MS_PER_DAY } from '../domain/durations.ts';
import { epochMs } from '../domain/epoch-ms.ts';
import { Refusal } from '../domain/refusal.ts';
import {
  type EventEffect,
  EventOutcome,
  type IngestEventRequest,
  IngestEventRequestSchema,
  IngestEventResponseSchema,
} from '../gen/hongbao/v1/event_service_pb.ts';
import { LOG_EVENTS } from '../telemetry/logger.ts';
import { effectOf, FIRST_EFFECTS, finalRefusal, isDone } from './event-effect.ts';
import type { EventPorts } from './event-ports.ts';
import { type InboxEvent, type Lease, postponeEvent, settleInbox, takeWaitingEvents } from './inbox.ts';
import * as limits from './limits.ts';
import { endsWaiting, orderCancelled, orderCompleted, orderRefunded } from './order-events.ts';
import {
  birthday,
  type Circumstances,
  factsChanged,
  memberLevelReached,
  referral,
  userRegistered,
} from './user-events.ts';

/** How an attempt ended. `waiting` and `failed` are tried again by the job. */
export interface Driven {
  readonly state: 'applied' | 'ignored' | 'waiting' | 'failed';
  readonly effects: readonly EventEffect[];
}

const UNFINISHED = { effects: [] } as const;

/**
 * Drives a leased event until `deadlineMs`, and the events that waited for it. Never throws what a store threw: when not even
 * the failure can be written down, the lease runs out and somebody else tries.
 */
export async function driveEvent(ports: EventPorts, event: InboxEvent, deadlineMs: number): Promise<Driven> {
  if (event.payload === undefined) return { state: 'ignored', ...UNFINISHED };
  const request = fromBinary(IngestEventRequestSchema, event.payload);
  const driven = await attempt(ports, event, request, deadlineMs);
  ports.metrics.events.child(request.event.case ?? 'none', driven.state).value += 1;
  const isOrderKnown = driven.state === 'applied' || driven.state === 'ignored';
  if (isOrderKnown && endsWaiting(request.event.case)) await driveWaiting(ports, event, deadlineMs);
  return driven;
}

/** What cannot be done in time here is left to the job. */
async function driveWaiting(ports: EventPorts, event: InboxEvent, deadlineMs: number): Promise<void> {
  try {
    const waiting = await takeWaitingEvents(ports.sql, event, leaseUntil(ports, deadlineMs));
    for (const other of waiting) await driveEvent(ports, other, deadlineMs);
  } catch (error) {
    report(ports, event, error);
  }
}

/** The lease for an attempt that ends by `deadlineMs`. */
export function leaseUntil({ nowMs }: Pick<EventPorts, 'nowMs'>, deadlineMs: number): Lease {
  return { leaseMs: Math.max(0, deadlineMs - nowMs()) + limits.LEASE_MARGIN_MS, deadlineMs };
}

async function attempt(
  ports: EventPorts,
  event: InboxEvent,
  request: IngestEventRequest,
  deadlineMs: number,
): Promise<Driven> {
  try {
    await awaitRules(ports, event.ruleSetVersion, deadlineMs);
    const effects = await apply(ports, event, request, deadlineMs);
    if (effects !== undefined) return await settle(ports, event, effects, deadlineMs);
    if (isTooLate(ports, event)) return await settle(ports, event, [], deadlineMs);
    await postpone(ports, event, waiting(event), deadlineMs);
    // The order may have become known since: whoever made it known found nothing that waited yet.
    const again = await apply(ports, event, request, deadlineMs);
    return again === undefined
      ? { state: 'waiting', ...UNFINISHED }
      : await settle(ports, event, again, deadlineMs);
  } catch (error) {
    return await failed(ports, event, request, error, deadlineMs);
  }
}

/** Waits until this process has heard of every promotion that was in force when the event was taken. */
async function awaitRules({ rules }: EventPorts, version: number, deadlineMs: number): Promise<void> {
  const untilMs = Math.min(deadlineMs, Date.now() + limits.RULES_MS);
  while (rules.current.version < version) {
    if (Date.now() >= untilMs)
      throw new Refusal('ARCHIVE_UNAVAILABLE', 'the newest promotions are not known here yet');
    await sleep(limits.RULES_LOOK_MS);
  }
}

/** What the event does; undefined when it must wait. */
async function apply(
  ports: EventPorts,
  { attempts }: InboxEvent,
  { eventId, userId, occurredAt, event }: IngestEventRequest,
  deadlineMs: number,
): Promise<EventEffect[] | undefined> {
  const told: Circumstances = { eventId, userId, occurredAtMs: epochMs(occurredAt) ?? 0, attempts };
  switch (event.case) {
    case 'userRegistered':
      return await userRegistered(ports, told, event.value, deadlineMs);
    case 'factsChanged':
      return await factsChanged(ports, told, event.value, deadlineMs);
    case 'orderCompleted':
      return await orderCompleted(ports, told, event.value, deadlineMs);
    case 'orderCancelled':
      return await orderCancelled(ports, told, event.value, deadlineMs);
    case 'orderRefunded':
      return await orderRefunded(ports, told, event.value, deadlineMs);
    case 'birthday':
      return await birthday(ports, told, event.value, deadlineMs);
    case 'referral':
      return await referral(ports, told, event.value, deadlineMs);
    case 'memberLevelReached':
      return await memberLevelReached(ports, told, event.value, deadlineMs);
    case undefined:
      return [];
  }
}

async function settle(
  { sql }: EventPorts,
  { eventId }: InboxEvent,
  effects: readonly EventEffect[],
  deadlineMs: number,
): Promise<Driven> {
  const state = effects.some(isDone) ? 'applied' : 'ignored';
  const outcome = state === 'applied' ? EventOutcome.APPLIED : EventOutcome.IGNORED;
  const response = create(IngestEventResponseSchema, { outcome, effects: [...effects] });
  const bytes = toBinary(IngestEventResponseSchema, response);
  await settleInbox(sql, eventId, { state, effects: bytes }, deadlineMs + limits.SETTLE_MARGIN_MS);
  return { state, effects };
}

function isTooLate({ nowMs, settings }: EventPorts, { receivedAtMs }: InboxEvent): boolean {
  return nowMs() - receivedAtMs > settings.waitDays * MS_PER_DAY;
}

interface Pause {
  readonly state: 'waiting' | 'failed';
  readonly delayMs: number;
  readonly error: string;
}

function waiting({ attempts }: InboxEvent): Pause {
  const delayMs = doubled(limits.FIRST_WAIT_MS, attempts, limits.LONGEST_WAIT_MS);
  return { state: 'waiting', delayMs, error: '' };
}

/** A pause that doubles with each attempt. */
export function doubled(firstMs: number, attempts: number, longestMs: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.max(0, attempts - 1));
}

async function postpone(
  { sql }: EventPorts,
  { eventId }: InboxEvent,
  pause: Pause,
  deadlineMs: number,
): Promise<void> {
  await postponeEvent(sql, eventId, pause, deadlineMs + limits.SETTLE_MARGIN_MS);
}

/** A refusal that stays settles the event; anything else is tried again. */
async function failed(
  ports: EventPorts,
  event: InboxEvent,
  request: IngestEventRequest,
  error: unknown,
  deadlineMs: number,
): Promise<Driven> {
  const refusal = finalRefusal(error);
  const kind = request.event.case;
  if (refusal !== undefined && kind !== undefined) {
    const effect = effectOf(FIRST_EFFECTS[kind], event.userId, { refusal });
    const settled = await settle(ports, event, [effect], deadlineMs).catch(() => undefined);
    if (settled !== undefined) return settled;
  }
  const delayMs = doubled(limits.FIRST_RETRY_MS, event.attempts, limits.LONGEST_RETRY_MS);
  report(ports, event, error);
  const pause = { state: 'failed', delayMs, error: String(error) } as const;
  await postpone(ports, event, pause, deadlineMs).catch((cause: unknown) => report(ports, event, cause));
  return { state: 'failed', ...UNFINISHED };
}

function report({ logger }: EventPorts, { eventId, attempts }: InboxEvent, error: unknown): void {
  const line = { event: LOG_EVENTS.eventFailed, eventId, attempts, err: error };
  const text = 'an event of the shop could not be carried out and is tried again';
  if (attempts >= limits.ALARMING_ATTEMPTS) logger.error(line, text);
  else logger.warn(line, text);
}
