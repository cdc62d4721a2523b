import { clone } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { Refusal } from '../domain/refusal.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import {
  type UpdatePromotionRequest,
  UpdatePromotionRequestSchema,
} from '../gen/hongbao/v1/promotion_service_pb.ts';
import { changedFields, merged, stamped } from './definition-fields.ts';
import type { DefinitionPorts, WriteContext } from './definition-ports.ts';
import { requireEtag } from './etag.ts';
import { requireValid } from './require-valid.ts';
import { commitVersion } from './store/commit-version.ts';
import { readPromotion } from './store/read-promotions.ts';
import { writeIdentity, writeOnce } from './write-once.ts';

/**
 * Stores the next version of a promotion. `request` may be any decoded message: it is checked with its promotion as that
 * would be after the change. Throws INVALID_REQUEST, PROMOTION_NOT_FOUND, ETAG_MISMATCH, QUANTITY_BELOW_ISSUED,
 * REQUEST_ID_REUSED, ARCHIVE_UNAVAILABLE or LEDGER_*.
 */
export async function updatePromotion(
  ports: DefinitionPorts,
  request: UpdatePromotionRequest,
  context: WriteContext,
): Promise<Promotion> {
  if (request.promotion === undefined || !request.updateMask?.paths.length) {
    requireValid(UpdatePromotionRequestSchema, request, request.promotion);
  }
  const identity = writeIdentity(UpdatePromotionRequestSchema, request);
  return await writeOnce(ports, identity, context, async () => {
    const { promotion: current } = await readPromotion(ports.sql, request.promotionId, context.deadlineMs);
    const next = await nextVersion(ports, current, request, context);
    const record = {
      ...identity,
      action: 'updated' as const,
      actor: context.actor,
      reason: request.reason,
      changedFields: changedFields(current, next),
      alsoIssued: request.alsoIssued,
      atMs: context.nowMs,
    };
    const stored = await commitVersion(ports.sql, next, record, context.deadlineMs);
    return stored && { stored, isChanged: true };
  });
}

async function nextVersion(
  ports: DefinitionPorts,
  current: Promotion,
  request: UpdatePromotionRequest,
  context: WriteContext,
): Promise<Promotion> {
  requireEtag(request.etag, current.version);
  const definition = request.promotion ? merged(current, request.promotion, request.updateMask) : current;
  const whole = clone(UpdatePromotionRequestSchema, request);
  whole.promotion = definition;
  requireValid(UpdatePromotionRequestSchema, whole, definition);
  await requireQuantityAboveIssued(ports, current, definition, context.deadlineMs);
  return stamped(definition, {
    ref: current.ref,
    id: current.promotionId,
    version: current.version + 1,
    state: current.state,
    createdAtMs: current.createdAt ? timestampMs(current.createdAt) : context.nowMs,
    updatedAtMs: context.nowMs,
  });
}

/**
 * Only a smaller quantity can fall below what is issued. A claim that wins the race against the new quantity does no harm:
 * the ledger issues nothing more once it has it.
 */
async function requireQuantityAboveIssued(
  { ledger }: DefinitionPorts,
  current: Promotion,
  next: Promotion,
  deadlineMs: number,
): Promise<void> {
  const [before, after] = [current.stock?.quantity, next.stock?.quantity];
  if (after === undefined || (before !== undefined && after >= before)) return;
  const [stock] = await ledger.readStock([current.ref], deadlineMs);
  const issued = stock?.issued ?? 0;
  if (after >= BigInt(issued)) return;
  throw new Refusal('QUANTITY_BELOW_ISSUED', `${issued} coupons are issued already`, {
    metadata: { issued: String(issued), quantity: String(after) },
  });
}
