/** One script call for many claims: its keys and arguments, and its reply taken apart. Pure. */
import { COUPON_FIELD_BYTES, couponIdOf } from '../domain/coupon.ts';
import {
  type ClaimedCoupon,
  OUTCOME_DURABILITY_UNMET,
  OUTCOME_REPLAYED,
  REPLY_HEAD,
  REPLY_STRIDE,
} from './claim-operation.ts';
import type { WaitingClaim } from './claim-queue.ts';
import type { PartitionKeys } from './keys.ts';

const CLAIM_HEAD_BYTES = 11 + COUPON_FIELD_BYTES;
const ACKNOWLEDGED_FAST = 1;
const ACKNOWLEDGED_DURABLE = 2;
const ACKNOWLEDGEMENTS = ['fast', 'durable', 'ledger'] as const;
/** The reply's entry number when the call wrote none. */
const NO_ENTRY = 2 ** 48 - 1;
const CLOSED_REPLY = 0x43;
/** The largest instant six bytes hold. */
const LAST_INSTANT_MS = 2 ** 48 - 1;

/** How the batch is to be decided; see ARGV of `scripts/claim.lua`. */
export interface BatchSettings {
  readonly backlogLimitEvents: number;
  /** `honest`: durable promotions get what they ask for; `refuse`: they are refused; `degrade`: they get FAST. */
  readonly durability: 'honest' | 'refuse' | 'degrade';
  /** The server's clock minus ours, ms. */
  readonly clockOffsetMs: number;
  /** By the server's clock, ms: this attempt lands by then or not at all, whatever the claims' own deadlines are. */
  readonly attemptUntilMs: number;
}

const DURABLE_MODES = { honest: '1', refuse: '0', degrade: '2' } as const;

/** Gives each distinct key a number from 1, in order of appearance. */
class Numbering<Key> {
  private readonly numbers = new Map<Key, number>();

  of(key: Key): number {
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    this.numbers.set(key, this.numbers.size + 1);
    return this.numbers.size;
  }

  get count(): number {
    return this.numbers.size;
  }

  names(): IterableIterator<Key> {
    return this.numbers.keys();
  }
}

function packedLength(claims: readonly WaitingClaim[]): number {
  let length = claims.length * CLAIM_HEAD_BYTES;
  for (const claim of claims) length += claim.facts.length;
  return length;
}

function packClaim(
  packed: Buffer,
  at: number,
  claim: WaitingClaim,
  promotion: number,
  wallet: number,
  deadlineMs: number,
): number {
  packed[at] = promotion;
  packed.writeUInt16BE(wallet, at + 1);
  packed.writeUIntBE(deadlineMs, at + 3, 6);
  packed.write(claim.request.fieldHex, at + 9, 'hex');
  packed.writeUInt16BE(claim.facts.length, at + 25);
  if (claim.facts.length > 0) packed.set(claim.facts, at + CLAIM_HEAD_BYTES);
  return at + CLAIM_HEAD_BYTES + claim.facts.length;
}

/** The keys and arguments of `scripts/claim.lua` for these claims. */
export function encodeBatch(
  claims: readonly WaitingClaim[],
  keys: PartitionKeys,
  settings: BatchSettings,
): { keys: string[]; args: (string | Buffer)[] } {
  const promotions = new Numbering<number>();
  const wallets = new Numbering<string>();
  const packed = Buffer.allocUnsafe(packedLength(claims));
  let at = 0;
  for (const claim of claims) {
    const { promotionRef, userId, deadlineMs } = claim.request;
    const ownMs = Math.floor(deadlineMs + settings.clockOffsetMs);
    const deadline = Math.min(ownMs, Math.floor(settings.attemptUntilMs), LAST_INSTANT_MS);
    at = packClaim(packed, at, claim, promotions.of(promotionRef), wallets.of(userId), deadline);
  }
  const names = [keys.stream, keys.meta];
  for (const ref of promotions.names()) names.push(keys.promotionPrefix + ref);
  for (const userId of wallets.names()) names.push(keys.walletPrefix + userId);
  const args = [
    String(promotions.count),
    String(keys.walletPrefix.length),
    String(keys.promotionPrefix.length),
    String(settings.backlogLimitEvents),
    DURABLE_MODES[settings.durability],
    packed,
    keys.partitions,
  ];
  return { keys: names, args };
}

/** What the script's reply says, per claim in the order of the batch. */
export interface BatchReply {
  /** The script's clock, ms since the epoch. */
  readonly nowMs: number;
  readonly backlogEvents: number;
  /** Number of the entry that tells of the new claims; undefined when there are none. */
  readonly entrySeq: number | undefined;
  outcome(index: number): number;
  coupon(index: number, fieldHex: string): ClaimedCoupon;
  needed(index: number): number;
  seen(index: number): number;
  /** Version of the definition that said "sold out"; 0 for other refusals. */
  version(index: number): number;
}

/** Reads six bytes as an unsigned integer; several times faster than the general reader. */
function uint48(bytes: Buffer, at: number): number {
  return bytes.readUInt16BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 2);
}

function couponAt(reply: Buffer, at: number, fieldHex: string): ClaimedCoupon {
  const issuedAtMs = uint48(reply, at + 14);
  return {
    couponId: couponIdOf(issuedAtMs, fieldHex),
    promotionVersion: reply.readUInt32BE(at + 10),
    issuedAtMs,
    validFromMs: uint48(reply, at + 20),
    expiresAtMs: uint48(reply, at + 26),
    isReplay: reply[at] === OUTCOME_REPLAYED,
    acknowledgement: ACKNOWLEDGEMENTS[(reply[at + 1] ?? 0) - ACKNOWLEDGED_FAST] ?? 'fast',
  };
}

/**
 * Corrects a reply that too few replicas confirmed: what was promised as durable becomes unknown (`refuse`) or is answered
 * as FAST (`degrade`). Claims of FAST promotions stay as they are, and so do those of LEDGER ones: they wait for the archive,
 * which outlives every replica.
 */
export function withoutReplicas(reply: unknown, fallback: 'refuse' | 'degrade'): void {
  if (!Buffer.isBuffer(reply)) return;
  for (let at = REPLY_HEAD; at < reply.length; at += REPLY_STRIDE) {
    const isDurable = (reply[at] ?? 0) <= OUTCOME_REPLAYED && reply[at + 1] === ACKNOWLEDGED_DURABLE;
    if (isDurable && fallback === 'degrade') reply[at + 1] = ACKNOWLEDGED_FAST;
    if (isDurable && fallback === 'refuse')
      reply.fill(0, at, at + REPLY_STRIDE).writeUInt8(OUTCOME_DURABILITY_UNMET, at);
  }
}

/** Takes a reply apart; undefined when the partition is closed. Throws when the reply is not one of `claims` answers. */
export function decodeBatchReply(reply: unknown, claims: number): BatchReply | undefined {
  if (!Buffer.isBuffer(reply)) throw new TypeError('the claim script answered something else than a string');
  if (reply.length === 1 && reply[0] === CLOSED_REPLY) return undefined;
  if (reply.length !== REPLY_HEAD + claims * REPLY_STRIDE)
    throw new TypeError(`${reply.length} bytes for ${claims} claims`);
  const offset = (index: number): number => REPLY_HEAD + index * REPLY_STRIDE;
  const entrySeq = uint48(reply, 13);
  return {
    nowMs: uint48(reply, 1),
    backlogEvents: uint48(reply, 7),
    entrySeq: entrySeq === NO_ENTRY ? undefined : entrySeq,
    outcome: (index) => reply[offset(index)] ?? 0,
    coupon: (index, fieldHex) => couponAt(reply, offset(index), fieldHex),
    needed: (index) => uint48(reply, offset(index) + 2),
    seen: (index) => uint48(reply, offset(index) + 8),
    version: (index) => uint48(reply, offset(index) + 14),
  };
}
