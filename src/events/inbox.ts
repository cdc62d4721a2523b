/**
 * The inbox: every event once, from being taken in until it is settled. Whoever holds the lease of a row drives its event;
 * a lease that ran out is taken over. Every write is one statement.
 */
import type postgres from 'postgres';
import { type Sql, withDeadline } from '../database/client.ts';
import { ERROR_CHARACTERS, WAITING_PER_ORDER } from './limits.ts';

/**
 * What has become of an event so far. `received`: somebody holds it. `waiting`: until its order is known. `failed`: the last
 * attempt did, another follows.
 */
export type InboxState = 'received' | 'waiting' | 'failed' | 'applied' | 'ignored';

/** An event to be taken in. */
export interface NewEvent {
  readonly eventId: string;
  readonly userId: string;
  /** The number of the event in the contract. */
  readonly kind: number;
  /** Empty when it is about no order. */
  readonly orderId: string;
  readonly occurredAtMs: number;
  readonly contentDigest: Buffer;
  readonly payload: Uint8Array;
}

/** For how long a taken event is left alone by others, and by when the statement must be answered. */
export interface Lease {
  readonly leaseMs: number;
  readonly deadlineMs: number;
}

/** An event in the inbox. Times in ms since the epoch. */
export interface InboxEvent {
  readonly eventId: string;
  readonly userId: string;
  readonly kind: number;
  readonly orderId: string;
  readonly occurredAtMs: number;
  readonly receivedAtMs: number;
  readonly contentDigest: Buffer;
  readonly state: InboxState;
  readonly attempts: number;
  /** Absent once settled. */
  readonly payload: Buffer | undefined;
  /** Absent until settled. */
  readonly effects: Buffer | undefined;
  /** The version of the rule set when the row was read. */
  readonly ruleSetVersion: number;
}

interface Row {
  readonly event_id: string;
  readonly user_id: string;
  readonly kind: number;
  readonly order_id: string;
  readonly occurred_at: Date;
  readonly received_at: Date;
  readonly content_digest: Buffer;
  readonly state: InboxState;
  readonly attempts: number;
  readonly payload: Buffer | null;
  readonly effects: Buffer | null;
  readonly rule_set_version: string;
}

function inboxEvent(row: Row): InboxEvent {
  return {
    eventId: row.event_id,
    userId: row.user_id,
    kind: row.kind,
    orderId: row.order_id,
    occurredAtMs: row.occurred_at.getTime(),
    receivedAtMs: row.received_at.getTime(),
    contentDigest: row.content_digest,
    state: row.state,
    attempts: row.attempts,
    payload: row.payload ?? undefined,
    effects: row.effects ?? undefined,
    ruleSetVersion: Number(row.rule_set_version),
  };
}

type Fragment = postgres.PendingQuery<postgres.Row[]>;

/** What is read of a row. Promotions that were committed before the row was read are in the version that comes with it. */
function columns(sql: Sql): Fragment {
  return sql`
    i.event_id, i.user_id, i.kind, i.order_id, i.occurred_at, i.received_at, i.content_digest, i.state, i.attempts,
    i.payload, i.effects, (select version from rule_set) as rule_set_version`;
}

function after(sql: Sql, delayMs: number): Fragment {
  return sql`now() + ${delayMs}::double precision * interval '1 millisecond'`;
}

/** Takes an event in, leased; undefined when one with this id is there. Throws ARCHIVE_UNAVAILABLE, DEADLINE_EXCEEDED. */
export async function insertEvent(
  sql: Sql,
  event: NewEvent,
  { leaseMs, deadlineMs }: Lease,
): Promise<InboxEvent | undefined> {
  const [row] = await withDeadline(
    sql<Row[]>`
      insert into event_inbox as i (event_id, user_id, kind, order_id, occurred_at, content_digest, payload,
        next_attempt_at)
      values (${event.eventId}, ${event.userId}, ${event.kind}, ${event.orderId}, ${new Date(event.occurredAtMs)},
        ${event.contentDigest}, ${event.payload}, ${after(sql, leaseMs)})
      on conflict (event_id) do nothing
      returning ${columns(sql)}`,
    deadlineMs,
  );
  return row && inboxEvent(row);
}

/** Reads an event; undefined when none was taken in under this id. */
export async function readEvent(
  sql: Sql,
  eventId: string,
  deadlineMs: number,
): Promise<InboxEvent | undefined> {
  const [row] = await withDeadline(
    sql<Row[]>`select ${columns(sql)} from event_inbox i where i.event_id = ${eventId}`,
    deadlineMs,
  );
  return row && inboxEvent(row);
}

/** Leases the event when it rests after a failure or is due; undefined when somebody holds it, or it is settled. */
export async function takeEvent(sql: Sql, eventId: string, lease: Lease): Promise<InboxEvent | undefined> {
  const isFree = sql`(state = 'failed' or next_attempt_at <= now())`;
  const rows = await take(sql, sql`event_id = ${eventId} and ${isFree}`, 1, lease);
  return rows[0];
}

/** Leases events that are due, longest overdue first. */
export async function takeDueEvents(sql: Sql, limit: number, lease: Lease): Promise<InboxEvent[]> {
  return await take(sql, sql`next_attempt_at <= now()`, limit, lease);
}

/** Leases events that wait for an order. */
export async function takeWaitingEvents(
  sql: Sql,
  { userId, orderId }: { readonly userId: string; readonly orderId: string },
  lease: Lease,
): Promise<InboxEvent[]> {
  const condition = sql`user_id = ${userId} and order_id = ${orderId} and state = 'waiting'`;
  return await take(sql, condition, WAITING_PER_ORDER, lease);
}

async function take(
  sql: Sql,
  condition: Fragment,
  limit: number,
  { leaseMs, deadlineMs }: Lease,
): Promise<InboxEvent[]> {
  const rows = await withDeadline(
    sql<Row[]>`
      update event_inbox i
      set state = 'received', next_attempt_at = ${after(sql, leaseMs)}, attempts = attempts + 1
      from (
        select event_id as id from event_inbox where ${condition}
        order by next_attempt_at
        limit ${limit}
        for update skip locked
      ) due
      where i.event_id = due.id
      returning ${columns(sql)}`,
    deadlineMs,
  );
  return rows.map(inboxEvent);
}

/** Writes down what the event did, for good; what it carried is forgotten. The first to settle an event counts. */
export async function settleInbox(
  sql: Sql,
  eventId: string,
  settled: { readonly state: 'applied' | 'ignored'; readonly effects: Uint8Array },
  deadlineMs: number,
): Promise<void> {
  await withDeadline(
    sql`
      update event_inbox
      set state = ${settled.state}, effects = ${settled.effects}, payload = null, next_attempt_at = null,
        last_error = '', settled_at = now()
      where event_id = ${eventId} and settled_at is null`,
    deadlineMs,
  );
}

/** Lets the event rest before another attempt. */
export async function postponeEvent(
  sql: Sql,
  eventId: string,
  pause: { readonly state: 'waiting' | 'failed'; readonly delayMs: number; readonly error: string },
  deadlineMs: number,
): Promise<void> {
  await withDeadline(
    sql`
      update event_inbox
      set state = ${pause.state}, next_attempt_at = ${after(sql, pause.delayMs)},
        last_error = ${pause.error.slice(0, ERROR_CHARACTERS)}
      where event_id = ${eventId} and settled_at is null`,
    deadlineMs,
  );
}

/** Events that are not settled. */
export async function countUnsettled(sql: Sql, deadlineMs: number): Promise<number> {
  const [row] = await withDeadline(
    sql<{ unsettled: number }[]>`
      select count(*)::integer as unsettled from event_inbox where next_attempt_at is not null`,
    deadlineMs,
  );
  return row?.unsettled ?? 0;
}
