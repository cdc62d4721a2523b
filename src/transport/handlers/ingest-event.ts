/** IngestEvent: an event of the shop. */
import type { EventPorts } from '../../events/event-ports.ts';
import { ingestEvent as ingest } from '../../events/ingest-event.ts';
import type {
  IngestEventRequestSchema,
  IngestEventResponseSchema,
} from '../../gen/hongbao/v1/event_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';

/** Serves IngestEvent. */
export function ingestEvent(
  ports: EventPorts,
): UnaryHandler<typeof IngestEventRequestSchema, typeof IngestEventResponseSchema> {
  return async (request, { deadlineMs }) => {
    const { outcome, effects } = await ingest(ports, request, deadlineMs);
    return { outcome, effects: [...effects] };
  };
}
