import { create } from '@bufbuild/protobuf';
import { violatedUniqueConstraint } from '../database/database-faults.ts';
import { Refusal } from '../domain/refusal.ts';
import { type Promotion, PromotionSchema, PromotionState } from '../gen/hongbao/v1/promotion_pb.ts';
import {
  type CreatePromotionRequest,
  CreatePromotionRequestSchema,
} from '../gen/hongbao/v1/promotion_service_pb.ts';
import { changedFields, stamped } from './definition-fields.ts';
import type { DefinitionPorts, WriteContext } from './definition-ports.ts';
import { requireValid } from './require-valid.ts';
import { insertPromotion } from './store/commit-version.ts';
import { nextRef } from './store/next-ref.ts';
import { writeIdentity, writeOnce } from './write-once.ts';

/**
 * Stores a new promotion, inactive. `request` may be any decoded message: everything wrong with it is refused with one
 * INVALID_REQUEST. Throws PROMOTION_ALREADY_EXISTS, REQUEST_ID_REUSED, ARCHIVE_UNAVAILABLE or LEDGER_*.
 */
export async function createPromotion(
  ports: DefinitionPorts,
  request: CreatePromotionRequest,
  context: WriteContext,
): Promise<Promotion> {
  requireValid(CreatePromotionRequestSchema, request, request.promotion);
  const definition = request.promotion ?? create(PromotionSchema);
  const identity = writeIdentity(CreatePromotionRequestSchema, request);
  return await writeOnce(ports, identity, context, async () => {
    const promotion = stamped(definition, {
      ref: await nextRef(ports.sql, context.deadlineMs),
      id: request.promotionId || ports.newPromotionId(),
      version: 1,
      state: PromotionState.INACTIVE,
      createdAtMs: context.nowMs,
      updatedAtMs: context.nowMs,
    });
    const record = {
      ...identity,
      action: 'created' as const,
      actor: context.actor,
      reason: request.reason,
      changedFields: changedFields(create(PromotionSchema), promotion),
      alsoIssued: false,
      atMs: context.nowMs,
    };
    const stored = await insertPromotion(ports.sql, promotion, record, context.deadlineMs);
    return { stored, isChanged: true };
  }).catch((error: unknown) => {
    throw violatedUniqueConstraint(error) === 'promotion_id_is_unique' ? alreadyExists(error) : error;
  });
}

function alreadyExists(cause: unknown): Refusal {
  return new Refusal(
    'PROMOTION_ALREADY_EXISTS',
    'the promotion id is taken, by this or a deleted promotion',
    {
      cause,
    },
  );
}
