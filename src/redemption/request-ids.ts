/**
 * The request ids an order has seen, so that a repeated call is told from a new one: of the call that made its present
 * reservation, and in `requests` those of its commits and releases and of earlier reservations.
 */
import type { Redemption } from '../domain/redemption.ts';
import { Refusal } from '../domain/refusal.ts';
import { REQUESTS_KEPT } from './limits.ts';

/** What `requests` says of a call that ended a reservation. */
export type EndingCall = 'commit' | 'release';

const RESERVE_PREFIX = 'reserve:';

/** What a request id did to the order; undefined when it is new. Ids are any text, so own fields count only. */
function whatItDid(redemption: Redemption, requestId: string): string | undefined {
  return Object.hasOwn(redemption.requests, requestId) ? redemption.requests[requestId] : undefined;
}

function reused(what: string): Refusal {
  return new Refusal('REQUEST_ID_REUSED', `The request id was used for another ${what}`);
}

/** Has this call reserved or used the order before? Throws REQUEST_ID_REUSED when it asked for something else then. */
export function hasReserved(redemption: Redemption, requestId: string, digest: string): boolean {
  const earlier = whatItDid(redemption, requestId);
  const known =
    redemption.requestId === requestId
      ? redemption.digest
      : earlier?.startsWith(RESERVE_PREFIX)
        ? earlier.slice(RESERVE_PREFIX.length)
        : undefined;
  if (known === undefined) return false;
  if (known !== digest) throw reused('order');
  return true;
}

/** Has this call ended a reservation of the order before? Throws REQUEST_ID_REUSED when it ended it another way. */
export function hasEnded(redemption: Redemption, requestId: string, call: EndingCall): boolean {
  const earlier = whatItDid(redemption, requestId);
  if (earlier === undefined || earlier.startsWith(RESERVE_PREFIX)) return false;
  if (earlier !== call) throw reused('call');
  return true;
}

function kept(entries: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(entries.slice(-REQUESTS_KEPT));
}

/** The order's request ids with that of the call that ends its reservation. */
export function requestsWith(
  { requests }: Redemption,
  requestId: string,
  call: EndingCall,
): Record<string, string> {
  return kept([...Object.entries(requests), [requestId, call]]);
}

/** The request ids a new reservation takes over from the one before it. */
export function inheritedRequests(earlier: Redemption | undefined): Record<string, string> {
  if (earlier === undefined) return {};
  return kept([...Object.entries(earlier.requests), [earlier.requestId, RESERVE_PREFIX + earlier.digest]]);
}
