/** Taking an event of the shop in: it is committed to the inbox, then driven; a repeated one is answered with what it did. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { clone, fromBinary, toBinary } from '@bufbuild/protobuf';
import { epochMs } from '../domain/epoch-ms.ts';
import { invalidRequest } from '../domain/invalid-request.ts';
import { Refusal } from '../domain/refusal.ts';
import {
  type EventEffect,
  EventOutcome,
  type IngestEventRequest,
  IngestEventRequestSchema,
  IngestEventResponseSchema,
} from '../gen/hongbao/v1/event_service_pb.ts';
import { type Driven, driveEvent, leaseUntil } from './drive-event.ts';
import { eventFaults } from './event-faults.ts';
import type { EventPorts, ProfileDetails } from './event-ports.ts';
import { type InboxEvent, insertEvent, type NewEvent, readEvent, takeEvent } from './inbox.ts';
import * as limits from './limits.ts';
import { orderIn } from './order-events.ts';

/** What became of an event. */
export interface IngestAnswer {
  readonly outcome: EventOutcome;
  readonly effects: readonly EventEffect[];
}

const OUTCOMES: Readonly<Record<InboxEvent['state'], EventOutcome>> = {
  received: EventOutcome.WAITING,
  failed: EventOutcome.WAITING,
  waiting: EventOutcome.WAITING,
  applied: EventOutcome.APPLIED,
  ignored: EventOutcome.IGNORED,
};

/** The outcome a state of the inbox stands for. An attempt that failed is repeated, so the event waits. */
export function outcomeOf(state: InboxEvent['state']): EventOutcome {
  return OUTCOMES[state];
}

/** What a settled event did; nothing while it is not settled. */
export function effectsOf({ effects }: InboxEvent): readonly EventEffect[] {
  return effects === undefined ? [] : fromBinary(IngestEventResponseSchema, effects).effects;
}

/**
 * Takes an event in and drives it as far as the time allows; the job does the rest. Throws INVALID_REQUEST for what cannot
 * be, REQUEST_ID_REUSED for other content under a known id, ARCHIVE_UNAVAILABLE when it cannot be taken in.
 */
export async function ingestEvent(
  ports: EventPorts,
  request: IngestEventRequest,
  deadlineMs: number,
): Promise<IngestAnswer> {
  const faults = eventFaults(request, ports.nowMs());
  const { event, details } = withoutDetails(request);
  // What was taken in is answered before it is judged again: a clock that was set back makes an event of before lie in the future.
  const isLookedUp = faults.length > 0 || details !== undefined;
  const before = isLookedUp ? await readEvent(ports.sql, request.eventId, deadlineMs) : undefined;
  if (before !== undefined) return await repeated(ports, before, event, deadlineMs);
  if (faults.length > 0) throw invalidRequest(faults);
  if (details !== undefined) await keepDetails(ports, request.userId, details, deadlineMs);
  const taken = await insertEvent(ports.sql, event, leaseUntil(ports, deadlineMs));
  if (taken !== undefined) return answerOf(await driveEvent(ports, taken, driveUntil(ports, deadlineMs)));
  const first = await readEvent(ports.sql, request.eventId, deadlineMs);
  if (first === undefined) throw new Error('an event that was taken in is gone');
  return await repeated(ports, first, event, deadlineMs);
}

function answerOf({ state, effects }: Driven): IngestAnswer {
  return { outcome: outcomeOf(state), effects };
}

/** Attempts end a little before the caller's patience, so that what became of them is written down and told. */
function driveUntil({ nowMs }: EventPorts, deadlineMs: number): number {
  const leftMs = deadlineMs - nowMs();
  return deadlineMs - Math.min(limits.SETTLE_MARGIN_MS, leftMs * limits.SETTLE_MARGIN_SHARE);
}

/**
 * The event as it is kept, and the personal details that came with it: those are kept apart, so that the inbox holds none,
 * neither in what it stores nor in a digest that could be guessed.
 */
function withoutDetails(request: IngestEventRequest): {
  readonly event: NewEvent;
  readonly details: ProfileDetails | undefined;
} {
  const kept = clone(IngestEventRequestSchema, request);
  let details: ProfileDetails | undefined;
  if (kept.event.case === 'userRegistered') {
    const { phone, name } = kept.event.value;
    if (phone !== '' || name !== '') details = { ...(phone && { phone }), ...(name && { name }) };
    kept.event.value.phone = '';
    kept.event.value.name = '';
  }
  const payload = toBinary(IngestEventRequestSchema, kept);
  return { event: newEvent(kept, payload), details };
}

function newEvent({ eventId, userId, occurredAt, event }: IngestEventRequest, payload: Uint8Array): NewEvent {
  const field = IngestEventRequestSchema.fields.find(({ localName }) => localName === event.case);
  return {
    eventId,
    userId,
    kind: field?.number ?? 0,
    orderId: orderIn(userId, event.value)?.orderId ?? '',
    occurredAtMs: epochMs(occurredAt) ?? 0,
    contentDigest: createHash('sha256').update(payload).digest(),
    payload,
  };
}

/** Details go first: once the event is in the inbox nobody has them any more. An erased user's are not kept again. */
async function keepDetails(
  { profiles }: EventPorts,
  userId: string,
  details: ProfileDetails,
  deadlineMs: number,
): Promise<void> {
  try {
    await profiles.put(userId, details, deadlineMs);
  } catch (error) {
    if (!(error instanceof Refusal) || error.reason !== 'USER_NOT_FOUND') throw error;
  }
}

/** The answer to a repeated event: what the first one did, waited for while it is under way. */
async function repeated(
  ports: EventPorts,
  first: InboxEvent,
  event: NewEvent,
  deadlineMs: number,
): Promise<IngestAnswer> {
  if (!first.contentDigest.equals(event.contentDigest))
    throw new Refusal('REQUEST_ID_REUSED', 'this event_id was used for an event with other content');
  const known = await settledFirst(ports, first, driveUntil(ports, deadlineMs));
  return { outcome: EventOutcome.DUPLICATE, effects: effectsOf(known) };
}

/** Waits for the first attempt, or takes over where it failed. */
async function settledFirst(ports: EventPorts, first: InboxEvent, untilMs: number): Promise<InboxEvent> {
  let known = first;
  for (let pauseMs = limits.FIRST_LOOK_MS; known.state === 'received' || known.state === 'failed'; ) {
    const taken = await takeEvent(ports.sql, first.eventId, leaseUntil(ports, untilMs));
    const driven = taken && (await driveEvent(ports, taken, untilMs));
    if (driven?.state === 'failed' || ports.nowMs() + pauseMs >= untilMs) break;
    if (driven === undefined) await sleep(pauseMs);
    pauseMs = Math.min(pauseMs * 2, limits.LONGEST_LOOK_MS);
    known = (await readEvent(ports.sql, first.eventId, untilMs)) ?? known;
  }
  return known;
}
