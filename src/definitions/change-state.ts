import type { DescMessage } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { type Promotion, PromotionState } from '../gen/hongbao/v1/promotion_pb.ts';
import { stamped } from './definition-fields.ts';
import type { DefinitionPorts, WriteContext } from './definition-ports.ts';
import { requireEtag } from './etag.ts';
import { type ChangeRecord, commitVersion } from './store/commit-version.ts';
import { readPromotion } from './store/read-promotions.ts';
import { recordUnchanged } from './store/request-records.ts';
import { type WriteRequest, type Written, writeIdentity, writeOnce } from './write-once.ts';

/** A request that sets the state of a promotion by hand. */
export type StateRequest<Desc extends DescMessage> = WriteRequest<Desc> & {
  promotionId: string;
  etag: string;
};

/** A state staff can set, and what setting it is called in the audit log. */
export const STATE_CHANGES = {
  activated: PromotionState.ACTIVE,
  deactivated: PromotionState.INACTIVE,
  finished: PromotionState.FINISHED,
} as const;

/**
 * Activates, deactivates or finishes a promotion. One that is in that state already stays at its version. Throws
 * PROMOTION_NOT_FOUND, ETAG_MISMATCH, REQUEST_ID_REUSED, ARCHIVE_UNAVAILABLE or LEDGER_*.
 */
export async function changeState<Desc extends DescMessage>(
  ports: DefinitionPorts,
  schema: Desc,
  request: StateRequest<Desc>,
  action: keyof typeof STATE_CHANGES,
  context: WriteContext,
): Promise<Promotion> {
  const identity = writeIdentity(schema, request);
  const record = {
    ...identity,
    action,
    actor: context.actor,
    reason: request.reason,
    changedFields: ['state'],
    alsoIssued: false,
    atMs: context.nowMs,
  };
  return await writeOnce(ports, identity, context, () => setState(ports, request, record, context));
}

async function setState(
  ports: DefinitionPorts,
  request: { promotionId: string; etag: string },
  record: ChangeRecord & { action: keyof typeof STATE_CHANGES },
  { deadlineMs }: WriteContext,
): Promise<Written | undefined> {
  const current = await readPromotion(ports.sql, request.promotionId, deadlineMs);
  requireEtag(request.etag, current.promotion.version);
  const state = STATE_CHANGES[record.action];
  if (current.promotion.state === state) {
    const recorded = await recordUnchanged(ports.sql, current.promotion, record, deadlineMs);
    return recorded ? { stored: current, isChanged: false } : undefined;
  }
  const stored = await commitVersion(
    ports.sql,
    inState(current.promotion, state, record.atMs),
    record,
    deadlineMs,
  );
  return stored && { stored, isChanged: true };
}

/** The next version of a promotion, in another state and otherwise as it is. */
export function inState(current: Promotion, state: PromotionState, atMs: number): Promotion {
  return stamped(current, {
    ref: current.ref,
    id: current.promotionId,
    version: current.version + 1,
    state,
    createdAtMs: current.createdAt ? timestampMs(current.createdAt) : atMs,
    updatedAtMs: atMs,
  });
}
