/** UpdateWebhook: switches a webhook off or on. What happens while it is off waits for it. */
import type { Webhooks } from '../../feed/webhooks.ts';
import type {
  UpdateWebhookRequestSchema,
  UpdateWebhookResponseSchema,
} from '../../gen/hongbao/v1/event_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { webhookMessage } from '../webhook-message.ts';

/** Makes the handler. */
export function updateWebhook({
  webhooks,
}: {
  readonly webhooks: Webhooks;
}): UnaryHandler<typeof UpdateWebhookRequestSchema, typeof UpdateWebhookResponseSchema> {
  return async ({ webhookId, requestId, enabled }, { deadlineMs }) => {
    return { webhook: webhookMessage(await webhooks.enable(webhookId, enabled, requestId, deadlineMs)) };
  };
}
