import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '../domain/refusal.ts';
import { type Promotion, PromotionState } from '../gen/hongbao/v1/promotion_pb.ts';
import {
  type DeletePromotionRequest,
  DeletePromotionRequestSchema,
} from '../gen/hongbao/v1/promotion_service_pb.ts';
import { inState } from './change-state.ts';
import type { DefinitionPorts, WriteContext } from './definition-ports.ts';
import { deliver } from './deliver.ts';
import { requireEtag } from './etag.ts';
import { commitVersion } from './store/commit-version.ts';
import { readPromotion } from './store/read-promotions.ts';
import { writeIdentity, writeOnce } from './write-once.ts';

/** The archive is moments behind; it is asked again this often, in milliseconds, until the call's deadline. */
const CURSOR_POLL_MS = 50;

/**
 * Deletes a promotion that is not active and has issued nothing; its versions and its audit log stay. Throws
 * PROMOTION_NOT_FOUND, ETAG_MISMATCH, PROMOTION_STILL_ACTIVE, PROMOTION_ALREADY_ISSUED, REQUEST_ID_REUSED,
 * ARCHIVE_UNAVAILABLE or LEDGER_*.
 */
export async function deletePromotion(
  ports: DefinitionPorts,
  request: DeletePromotionRequest,
  context: WriteContext,
): Promise<void> {
  const identity = writeIdentity(DeletePromotionRequestSchema, request);
  await writeOnce(ports, identity, context, async () => {
    const current = await readPromotion(ports.sql, request.promotionId, context.deadlineMs);
    requireEtag(request.etag, current.promotion.version);
    requireNotActive(current.promotion);
    // The answer to this delivery passes the ledger's gate: it is the count after the last possible claim.
    const { issued, seqs } = await deliver(ports, current, context.deadlineMs);
    const [stock] = await ports.ledger.readStock([current.promotion.ref], context.deadlineMs);
    // A coupon whose stock came back was issued all the same.
    requireNothingIssued(issued + (stock?.returned ?? 0));
    await awaitArchived(ports, seqs, context.deadlineMs);
    const record = {
      ...identity,
      action: 'deleted' as const,
      actor: context.actor,
      reason: request.reason,
      changedFields: ['state'],
      alsoIssued: false,
      atMs: context.nowMs,
    };
    // The version must still be the one that was found without coupons: an activation meanwhile makes this attempt void.
    const next = inState(current.promotion, PromotionState.DELETED, context.nowMs);
    const stored = await commitVersion(ports.sql, next, record, context.deadlineMs);
    return stored && { stored, isChanged: true };
  });
}

function requireNotActive(promotion: Promotion): void {
  if (promotion.state !== PromotionState.ACTIVE) return;
  throw new Refusal('PROMOTION_STILL_ACTIVE', 'deactivate the promotion before deleting it');
}

function requireNothingIssued(issued: number): void {
  if (issued === 0) return;
  throw new Refusal('PROMOTION_ALREADY_ISSUED', `${issued} coupons of this promotion are issued`, {
    metadata: { issued: String(issued) },
  });
}

/**
 * In every partition the archive must have passed the event that stopped the claims. Before that, a ledger that lost its last events could
 * come back with the promotion active.
 */
async function awaitArchived(
  { archive }: DefinitionPorts,
  seqs: readonly number[],
  deadlineMs: number,
): Promise<void> {
  for (;;) {
    const cursors = await archive.readCursors(deadlineMs);
    if (seqs.every((seq, partition) => (cursors[partition] ?? -1) >= seq)) return;
    if (Date.now() + 2 * CURSOR_POLL_MS >= deadlineMs) {
      throw new Refusal('ARCHIVE_UNAVAILABLE', 'the archive has not caught up with this promotion yet');
    }
    await sleep(CURSOR_POLL_MS);
  }
}
