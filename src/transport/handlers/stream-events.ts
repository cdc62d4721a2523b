/**
 * StreamEvents: what happens in the ledger, at least once and in order per user, from a cursor on. The caller's pace is the
 * stream's: the next events are read when the last ones were taken.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { createValidator } from '@bufbuild/protovalidate';
import { invalidRequest } from '../../domain/invalid-request.ts';
import { encodeCursor } from '../../feed/cursor.ts';
import type { EventStreams } from '../../feed/event-streams.ts';
import { feedEventMessage, kindsOf } from '../../feed/feed-event.ts';
import {
  type StreamEventsRequest,
  StreamEventsRequestSchema,
  StreamEventsResponseSchema,
} from '../../gen/hongbao/v1/event_service_pb.ts';
import { decodeMessage, faultOf, onlyRequest, type StreamHandler } from '../binding.ts';

/** The longest a timer can wait. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Makes the handler. */
export function streamEvents({ eventStreams }: { readonly eventStreams: EventStreams }): StreamHandler {
  const validator = createValidator();
  const checked = (bytes: Uint8Array): StreamEventsRequest => {
    const request = decodeMessage(StreamEventsRequestSchema, bytes);
    const result = validator.validate(StreamEventsRequestSchema, request);
    if (result.kind === 'invalid') throw invalidRequest(result.violations.map(faultOf));
    if (result.kind === 'error') throw result.error;
    return request;
  };
  return async (requests, context, write) => {
    const { cursor, kinds, userId } = checked(await onlyRequest(requests));
    const filter = { kinds: kindsOf(kinds), userId: userId || undefined };
    const late = new AbortController();
    const leftMs = Math.max(0, Math.min(context.deadlineMs - context.nowMs, LONGEST_TIMER_MS));
    const timer = setTimeout(() => late.abort(), leftMs);
    const over = AbortSignal.any([context.signal, late.signal]);
    try {
      for await (const { items, position } of eventStreams.open({ cursor, filter }, over)) {
        const events = items.map(feedEventMessage);
        const message = create(StreamEventsResponseSchema, { events, cursor: encodeCursor(position) });
        await write(toBinary(StreamEventsResponseSchema, message));
      }
    } finally {
      clearTimeout(timer);
    }
  };
}
