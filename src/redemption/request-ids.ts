/**
 * The request ids an order has seen, so that a repeated call is told from a new one: of the call that made its present
 * reservation, and in `requests` those of its commits and releases and of earlier reservations. A caller may give its whole
 * way with an order one id, so reserving and ending are told apart.
 */
import type { Redemption } from '../domain/redemption.ts';
import { Refusal } from '../domain/refusal.ts';
import { REQUESTS_KEPT } from './limits.ts';

/** What `requests` says of a call that ended a reservation. */
export type EndingCall = 'commit' | 'release';

type Requests = Redemption['requests'];

// No request id has a blank in it, and a key that is no number keeps its place among the others.
const reservedKey = (requestId: string): string => `reserved ${requestId}`;
const ENDED = 'ended ';
const endedKey = (requestId: string): string => ENDED + requestId;

/** Digest of the earlier reservation that this call made; undefined when it made none. */
export function earlierReservation(requests: Requests, requestId: string): string | undefined {
  return requests[reservedKey(requestId)];
}

/** How this call ended a reservation; undefined when it ended none. */
export function earlierEnding(requests: Requests, requestId: string): string | undefined {
  return requests[endedKey(requestId)];
}

/** The request ids of all calls that ended a reservation, with how. */
export function endings(requests: Requests): { readonly requestId: string; readonly call: string }[] {
  return Object.entries(requests).flatMap(([key, call]) =>
    key.startsWith(ENDED) ? [{ requestId: key.slice(ENDED.length), call }] : [],
  );
}

function reused(what: string): Refusal {
  return new Refusal('REQUEST_ID_REUSED', `The request id was used for another ${what}`);
}

/** Has this call reserved or used the order before? Throws REQUEST_ID_REUSED when it asked for something else then. */
export function hasReserved(redemption: Redemption, requestId: string, digest: string): boolean {
  const isPresent = redemption.requestId === requestId;
  const known = isPresent ? redemption.digest : earlierReservation(redemption.requests, requestId);
  if (known === undefined) return false;
  if (known !== digest) throw reused('order');
  return true;
}

/** Has this call ended a reservation of the order before? Throws REQUEST_ID_REUSED when it ended it another way. */
export function hasEnded({ requests }: Redemption, requestId: string, call: EndingCall): boolean {
  const earlier = earlierEnding(requests, requestId);
  if (earlier === undefined) return false;
  if (earlier !== call) throw reused('call');
  return true;
}

function withNewest(requests: Requests, key: string, what: string): Requests {
  return Object.fromEntries([...Object.entries(requests), [key, what]].slice(-REQUESTS_KEPT));
}

/** The order's request ids with that of a call that ends its reservation, or finds it ended. */
export function requestsWith(requests: Requests, requestId: string, call: EndingCall): Requests {
  return withNewest(requests, endedKey(requestId), call);
}

/** The request ids a new reservation takes over from the one before it. */
export function inheritedRequests(earlier: Redemption | undefined): Requests {
  return earlier ? withNewest(earlier.requests, reservedKey(earlier.requestId), earlier.digest) : {};
}
