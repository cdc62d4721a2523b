/** CreateWebhook: registers a URL that events are posted to, from now on. */
import type { Webhooks } from '../../feed/webhooks.ts';
import type {
  CreateWebhookRequestSchema,
  CreateWebhookResponseSchema,
} from '../../gen/hongbao/v1/event_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { webhookMessage } from '../webhook-message.ts';

/** Makes the handler. */
export function createWebhook({
  webhooks,
}: {
  readonly webhooks: Webhooks;
}): UnaryHandler<typeof CreateWebhookRequestSchema, typeof CreateWebhookResponseSchema> {
  return async ({ requestId, url, kinds, secret }, { identity, deadlineMs }) => {
    const draft = { requestId, url, kinds, secret, actor: identity.actor };
    const made = await webhooks.register(draft, deadlineMs);
    return { webhook: webhookMessage(made.webhook), secret: made.secret };
  };
}
