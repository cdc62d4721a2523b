/** Webhooks and their dead letters as callers see them; never their secrets. */
import { fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { StoredDeadLetter } from '../feed/store/dead-letters.ts';
import type { StoredWebhook } from '../feed/store/webhooks.ts';
import {
  type DeadLetterSchema,
  FeedEventSchema,
  type WebhookSchema,
} from '../gen/hongbao/v1/event_service_pb.ts';

/** The message of a webhook. */
export function webhookMessage(webhook: StoredWebhook): MessageInitShape<typeof WebhookSchema> {
  return {
    webhookId: webhook.id,
    url: webhook.url,
    kinds: [...webhook.kinds],
    enabled: webhook.is_enabled,
    cursor: webhook.cursor,
    deadLetters: BigInt(webhook.dead_letters),
    lastError: webhook.last_error,
    createdBy: webhook.created_by,
    createdAt: timestampFromDate(webhook.created_at),
    updatedAt: timestampFromDate(webhook.updated_at),
  };
}

/** The message of a dead letter. */
export function deadLetterMessage(letter: StoredDeadLetter): MessageInitShape<typeof DeadLetterSchema> {
  return {
    deadLetterId: letter.id,
    webhookId: letter.webhook_id,
    event: fromBinary(FeedEventSchema, letter.event),
    attempts: letter.attempts,
    failedAt: timestampFromDate(letter.failed_at),
    lastError: letter.last_error,
  };
}
