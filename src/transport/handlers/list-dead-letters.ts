/** ListDeadLetters: events a webhook did not take in all attempts, oldest first, paged. */
import type { Webhooks } from '../../feed/webhooks.ts';
import type {
  ListDeadLettersRequestSchema,
  ListDeadLettersResponseSchema,
} from '../../gen/hongbao/v1/event_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { deadLetterMessage } from '../webhook-message.ts';
import { numbersOfPageToken, pageSizeOf, tokenAfterNumbers } from './staff-page.ts';

/** Makes the handler. */
export function listDeadLetters({
  webhooks,
}: {
  readonly webhooks: Webhooks;
}): UnaryHandler<typeof ListDeadLettersRequestSchema, typeof ListDeadLettersResponseSchema> {
  return async ({ webhookId, pageToken, pageSize }, { deadlineMs }) => {
    const tied = { method: 'dead-letters', webhookId };
    const [after] = numbersOfPageToken(pageToken, tied) ?? [];
    const size = pageSizeOf(pageSize);
    const rows = await webhooks.deadLetters(webhookId, { after, limit: size + 1 }, deadlineMs);
    const shown = rows.slice(0, size);
    const last = rows.length > size ? shown.at(-1) : undefined;
    return {
      deadLetters: shown.map(deadLetterMessage),
      nextPageToken: tokenAfterNumbers(last && [Number(last.id)], tied),
    };
  };
}
