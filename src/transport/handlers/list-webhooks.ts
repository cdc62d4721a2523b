/** ListWebhooks: what is registered, oldest first, paged. */
import type { Webhooks } from '../../feed/webhooks.ts';
import type {
  ListWebhooksRequestSchema,
  ListWebhooksResponseSchema,
} from '../../gen/hongbao/v1/event_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { keyOfPageToken, pageTokenAfter } from '../page-token.ts';
import { webhookMessage } from '../webhook-message.ts';
import { pageSizeOf } from './staff-page.ts';

const TIED = { method: 'webhooks' };

/** Makes the handler. */
export function listWebhooks({
  webhooks,
}: {
  readonly webhooks: Webhooks;
}): UnaryHandler<typeof ListWebhooksRequestSchema, typeof ListWebhooksResponseSchema> {
  return async ({ pageToken, pageSize }, { deadlineMs }) => {
    const [createdAt, id] = keyOfPageToken(pageToken, TIED)?.split(' ') ?? [];
    const after = id === undefined ? undefined : { createdAtMs: Number(createdAt), id };
    const size = pageSizeOf(pageSize);
    const rows = await webhooks.list(after, size + 1, deadlineMs);
    const shown = rows.slice(0, size);
    const last = rows.length > size ? shown.at(-1) : undefined;
    return {
      webhooks: shown.map(webhookMessage),
      nextPageToken: last ? pageTokenAfter(`${last.created_at.getTime()} ${last.id}`, TIED) : '',
    };
  };
}
