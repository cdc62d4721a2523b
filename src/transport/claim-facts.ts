/** Facts about a user from a message into the form the ledger takes. */
import type { ClaimFacts } from '../ledger/claim-operation.ts';

/** The facts as messages carry them; the shape of the generated codecs and that of protobuf-es both fit. */
export interface FactsMessage {
  readonly tags: readonly string[];
  readonly registeredAt?: { readonly seconds: bigint; readonly nanos: number } | undefined;
  readonly ordersCompleted?: number | undefined;
}

/** The facts of a request; undefined when it states none. */
export function claimFacts(facts: FactsMessage | undefined): ClaimFacts | undefined {
  if (facts === undefined) return undefined;
  const { tags, registeredAt, ordersCompleted } = facts;
  return {
    tags,
    ...(registeredAt !== undefined && {
      registeredAtMs: Number(registeredAt.seconds) * 1_000 + Math.floor(registeredAt.nanos / 1_000_000),
    }),
    ...(ordersCompleted !== undefined && { ordersCompleted }),
  };
}
