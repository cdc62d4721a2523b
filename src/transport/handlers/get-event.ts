/** GetEvent: an event as it was taken in, and what it did. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Sql } from '../../database/client.ts';
import { Refusal } from '../../domain/refusal.ts';
import { readEvent } from '../../events/inbox.ts';
import { effectsOf, outcomeOf } from '../../events/ingest-event.ts';
import {
  type GetEventRequestSchema,
  type GetEventResponseSchema,
  IngestedEventKind,
} from '../../gen/hongbao/v1/event_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';

const KINDS: ReadonlySet<number> = new Set(Object.values(IngestedEventKind));

function isKind(kind: number): kind is IngestedEventKind {
  return KINDS.has(kind);
}

/** Serves GetEvent. */
export function getEvent({
  sql,
}: {
  readonly sql: Sql;
}): UnaryHandler<typeof GetEventRequestSchema, typeof GetEventResponseSchema> {
  return async ({ eventId }, { deadlineMs }) => {
    const event = await readEvent(sql, eventId, deadlineMs);
    if (event === undefined) throw new Refusal('EVENT_NOT_FOUND', 'No event was taken in under this id');
    return {
      event: {
        eventId,
        kind: isKind(event.kind) ? event.kind : IngestedEventKind.UNSPECIFIED,
        userId: event.userId,
        occurredAt: timestampFromMs(event.occurredAtMs),
        receivedAt: timestampFromMs(event.receivedAtMs),
        state: outcomeOf(event.state),
        effects: [...effectsOf(event)],
      },
    };
  };
}
