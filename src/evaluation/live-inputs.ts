/** Live inputs on their way to a worker: limits and codes as JSON, facts as the ledger keeps them. Most carts have none. */
import type { UserFacts } from '../domain/cart.ts';
import type { LiveLimit } from '../domain/live-limit.ts';
import { decodeUserFacts, factsForDecisions } from '../domain/user-facts.ts';
import type { ResolvedCode } from '../engine/evaluation-input.ts';
import type { LiveInputs } from './pending-evaluation.ts';

/** Live inputs as an evaluation takes them. */
export interface KnownLive {
  readonly facts: UserFacts;
  readonly limits: readonly LiveLimit[];
  readonly codes: readonly ResolvedCode[];
}

/** Nothing known. */
export const NOTHING_LIVE: KnownLive = { facts: {}, limits: [], codes: [] };

const NO_BYTES = new Uint8Array();

/** What is left of limits, or codes, as bytes; none for an empty list. */
export function encodeList(list: readonly LiveLimit[] | readonly ResolvedCode[]): Uint8Array {
  return list.length === 0 ? NO_BYTES : Buffer.from(JSON.stringify(list));
}

/** Reads what came along. Throws CorruptRecordError when the stored facts cannot be read. */
export function knownLive(live: LiveInputs | undefined): KnownLive {
  if (live === undefined) return NOTHING_LIVE;
  return { facts: storedFacts(live.facts), limits: limitsIn(live.limits), codes: codesIn(live.codes) };
}

function storedFacts(bytes: Uint8Array): UserFacts {
  return bytes.length === 0 ? NOTHING_LIVE.facts : factsForDecisions(decodeUserFacts(bytes));
}

let lastBytes = Buffer.alloc(0);
let lastLimits: readonly LiveLimit[] = [];

/** Most carts of a moment come with the same limits, so those read last are remembered. */
function limitsIn(bytes: Uint8Array): readonly LiveLimit[] {
  if (bytes.length === 0) return NOTHING_LIVE.limits;
  if (!lastBytes.equals(bytes)) {
    lastBytes = Buffer.from(bytes);
    lastLimits = JSON.parse(lastBytes.toString());
  }
  return lastLimits;
}

function codesIn(bytes: Uint8Array): readonly ResolvedCode[] {
  return bytes.length === 0 ? NOTHING_LIVE.codes : JSON.parse(Buffer.from(bytes).toString());
}
