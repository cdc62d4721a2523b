/** Facts about a user from a message into the form the ledger takes. */
import { epochMs, type Instant } from '../domain/epoch-ms.ts';
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
