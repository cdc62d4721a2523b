import { createHash } from 'node:crypto';
import { clone, type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { violatedUniqueConstraint } from '../database/database-faults.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import type { DefinitionPorts, WriteContext } from './definition-ports.ts';
import { deliver } from './deliver.ts';
import { etagMismatch } from './etag.ts';
import { promotionView } from './promotion-view.ts';
import { isDeliveryPending } from './store/deliveries.ts';
import { readPromotionByRef, readVersion } from './store/read-promotions.ts';
import { findOutcome, type RequestOutcome, type WriteIdentity } from './store/request-records.ts';
import type { StoredPromotion } from './store/stored-promotion.ts';

/** How often a write that named no etag is tried again on the newest version before it gives up. */
const ATTEMPTS = 5;

/** A request that changes a promotion. */
export type WriteRequest<Desc extends DescMessage> = MessageShape<Desc> & {
  requestId: string;
  reason: string;
};

/** What a write led to: a version just committed, or the current one when nothing had to change. */
export interface Written {
  readonly stored: StoredPromotion;
  readonly isChanged: boolean;
}

/** The identity of a write: its method, its request id, and a digest of all its other fields. */
export function writeIdentity<Desc extends DescMessage>(
  schema: Desc,
  request: WriteRequest<Desc>,
): WriteIdentity {
  const content: MessageShape<Desc> = clone(schema, request);
  const idField = schema.fields.find(({ name }) => name === 'request_id');
  if (idField !== undefined) reflect(schema, content).clear(idField);
  const contentDigest = createHash('sha256').update(toBinary(schema, content)).digest();
  return { method: schema.typeName, requestId: request.requestId, contentDigest };
}

/**
 * Carries a write out once per request id and answers when it is live in the ledger.
 *
 * An earlier call with the same id is answered with the version it made. `attempt` is called again when it gives undefined,
 * because the promotion changed under it. Throws LEDGER_* when the change is stored but not confirmed live; the same
 * request then answers once it is.
 */
export async function writeOnce(
  ports: DefinitionPorts,
  write: WriteIdentity,
  context: WriteContext,
  attempt: () => Promise<Written | undefined>,
): Promise<Promotion> {
  const earlier = await findOutcome(ports.sql, write, context.deadlineMs);
  if (earlier !== undefined) return await answerAgain(ports, earlier, context);
  try {
    const written = await attemptUntilWritten(attempt);
    const issued = written.isChanged
      ? (await deliver(ports, written.stored, context.deadlineMs)).issued
      : await catchUp(ports, written.stored.promotion.ref, context);
    return promotionView(written.stored.promotion, issued, context.nowMs);
  } catch (error) {
    // The same request was carried out by another process at this very moment.
    const raced =
      violatedUniqueConstraint(error) && (await findOutcome(ports.sql, write, context.deadlineMs));
    if (!raced) throw error;
    return await answerAgain(ports, raced, context);
  }
}

async function attemptUntilWritten(attempt: () => Promise<Written | undefined>): Promise<Written> {
  for (let count = 0; count < ATTEMPTS; count += 1) {
    const written = await attempt();
    if (written !== undefined) return written;
  }
  throw etagMismatch();
}

async function answerAgain(
  ports: DefinitionPorts,
  { ref, version }: RequestOutcome,
  context: WriteContext,
): Promise<Promotion> {
  const stored = await readVersion(ports.sql, ref, version, context.deadlineMs);
  if (stored === undefined)
    throw new Error(`version ${version} of promotion ${ref} is recorded but not stored`);
  return promotionView(stored.promotion, await catchUp(ports, ref, context), context.nowMs);
}

/** Brings the newest version to the ledger if it is not there yet; the coupons issued so far. */
async function catchUp(ports: DefinitionPorts, ref: number, context: WriteContext): Promise<number> {
  if (await isDeliveryPending(ports.sql, ref, context.deadlineMs)) {
    const newest = await readPromotionByRef(ports.sql, ref, context.deadlineMs);
    if (newest !== undefined) return (await deliver(ports, newest, context.deadlineMs)).issued;
  }
  const [stock] = await ports.ledger.readStock([ref], context.deadlineMs);
  return stock?.issued ?? 0;
}
