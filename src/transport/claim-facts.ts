/** Facts about a user from a message into the form the ledger takes. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { ClaimFacts } from '../ledger/claim-operation.ts';

/** The facts as messages carry them; both the generated codecs' and protobuf-es's shape fit. */
export interface FactsMessage {
  readonly tags: readonly string[];
  readonly registeredAt?: Parameters<typeof timestampMs>[0] | undefined;
  readonly ordersCompleted?: number | undefined;
}

/** The facts of a request; undefined when it states none. */
export function claimFacts(facts: FactsMessage | undefined): ClaimFacts | undefined {
  if (facts === undefined) return undefined;
  return {
    tags: facts.tags,
    ...(facts.registeredAt !== undefined && { registeredAtMs: timestampMs(facts.registeredAt) }),
    ...(facts.ordersCompleted !== undefined && { ordersCompleted: facts.ordersCompleted }),
  };
}
