import type { MessageInitShape } from '@bufbuild/protobuf';
import type { StreamEventsRequestSchema, StreamEventsResponse } from '../gen/hongbao/v1/event_service_pb.ts';
import type { Hongbao } from './client.ts';
import { HongbaoError } from './hongbao-error.ts';
import { FIRST_PAUSE_MS, LONGEST_PAUSE_MS } from './limits.ts';
import { sleep } from './sleep.ts';

/** From where on, and what: as in `StreamEventsRequest`. */
export type FollowRequest = Omit<
  MessageInitShape<typeof StreamEventsRequestSchema>,
  '$typeName' | '$unknown'
>;

/**
 * The feed without end: opens the stream again where it broke, after the last cursor that came. What was sent before a break may
 * be sent again, so keep the cursor together with what you make of the events. Ends when the signal aborts; rejects with
 * `HongbaoError` when asking again cannot help.
 */
export async function* followEvents(
  { events }: Pick<Hongbao, 'events'>,
  request: FollowRequest,
  signal?: AbortSignal,
): AsyncGenerator<StreamEventsResponse> {
  let { cursor = '' } = request;
  for (let failures = 0; !isOver(signal); failures += 1) {
    try {
      for await (const answer of events.streamEvents({ ...request, cursor }, { ...(signal && { signal }) })) {
        yield answer;
        failures = 0;
        if (answer.cursor !== '') cursor = answer.cursor;
      }
    } catch (error) {
      if (isOver(signal)) return;
      if (!(error instanceof HongbaoError) || !error.isRetryable) throw error;
    }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * Math.random();
    await sleep(pauseMs, signal).catch(() => undefined);
  }
}

function isOver(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
