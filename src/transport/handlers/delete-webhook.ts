/** DeleteWebhook: forgets a webhook with its dead letters. */
import type { Webhooks } from '../../feed/webhooks.ts';
import type {
  DeleteWebhookRequestSchema,
  DeleteWebhookResponseSchema,
} from '../../gen/hongbao/v1/event_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';

/** Makes the handler. */
export function deleteWebhook({
  webhooks,
}: {
  readonly webhooks: Webhooks;
}): UnaryHandler<typeof DeleteWebhookRequestSchema, typeof DeleteWebhookResponseSchema> {
  return async ({ webhookId, requestId }, { deadlineMs }) => {
    await webhooks.delete(webhookId, requestId, deadlineMs);
    return {};
  };
}
