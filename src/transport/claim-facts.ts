/** Facts about a user from a message into the form the ledger takes. */
import { epochMs, type Instant } from '../domain/epoch-ms.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import type { ClaimFacts } from '../ledger/claim-operation.ts';

/** The facts as messages carry them; the shape of the generated codecs and that of protobuf-es both fit. */
export interface FactsMessage {
  readonly tags: readonly string[];
  readonly registeredAt?: Instant | undefined;
  readonly ordersCompleted?: number | undefined;
}

/** The facts of a request; undefined when it states none. */
export function claimFacts(facts: FactsMessage | undefined): ClaimFacts | undefined {
  if (facts === undefined) return undefined;
  const { tags, registeredAt, ordersCompleted } = facts;
  const registeredAtMs = epochMs(registeredAt);
  return {
    tags,
    ...(registeredAtMs !== undefined && { registeredAtMs }),
    ...(ordersCompleted !== undefined && { ordersCompleted }),
  };
}

/** Facts that the caller states, and for those it does not state what is kept. */
export function completedFacts(
  stated: ClaimFacts | undefined,
  kept: ClaimFacts | undefined,
): ClaimFacts | undefined {
  if (stated === undefined || kept === undefined) return stated ?? kept;
  return { ...kept, ...stated, tags: stated.tags.length > 0 ? stated.tags : kept.tags };
}

/** Whether the promotion asks for a fact that is not among these. One that is for everyone asks for none. */
export function lacksFacts(promotion: Promotion | undefined, facts: ClaimFacts | undefined): boolean {
  const audience = promotion?.target?.audience;
  if (audience?.case === 'taggedUsers') return facts === undefined || facts.tags.length === 0;
  if (audience?.case !== 'newUsers') return false;
  const { registeredWithinDays } = audience.value;
  return (registeredWithinDays === undefined ? facts?.ordersCompleted : facts?.registeredAtMs) === undefined;
}
