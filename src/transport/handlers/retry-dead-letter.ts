/** RetryDeadLetter: has a dead letter sent again, by the process that delivers. */
import type { Webhooks } from '../../feed/webhooks.ts';
import type {
  RetryDeadLetterRequestSchema,
  RetryDeadLetterResponseSchema,
} from '../../gen/hongbao/v1/event_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';

/** Makes the handler. */
export function retryDeadLetter({
  webhooks,
}: {
  readonly webhooks: Webhooks;
}): UnaryHandler<typeof RetryDeadLetterRequestSchema, typeof RetryDeadLetterResponseSchema> {
  return async ({ webhookId, deadLetterId, requestId }, { deadlineMs }) => {
    await webhooks.retry({ webhookId, id: deadLetterId }, requestId, deadlineMs);
    return {};
  };
}
