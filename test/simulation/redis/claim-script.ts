/** `scripts/claim.lua`, transcribed line by line; a property test holds the two together. */
import { digits, pack, requireNumber, ScriptError, sized, toNumber, Unpacker, unpack } from './bytes.ts';
import { hasTag, type LivePromotion, readHead } from './claim-promotion.ts';
import {
  appendEntry,
  argAt,
  COUPON_BYTES,
  countLive,
  encodeField,
  KIND,
  keyAt,
  openPartition,
  type Partition,
  type ScriptCall,
  type ScriptReply,
  TARGET,
  WALLET_LIMIT,
} from './script-context.ts';

interface Wallet {
  readonly key: string;
  readonly user: string;
  readonly coupons: Map<string, string>;
  readonly counts: Map<string, number>;
  live: number;
  isErased: boolean;
  isFresh: boolean;
}

interface Claim {
  readonly deadline: number;
  readonly field: string;
  readonly facts: string;
}

const FINISHED = 2;
const DELETED = 3;
const DURABLE = 2;
const LEDGER = 3;
const NO_ENTRY = 2 ** 48 - 1;

function refusal(outcome: number, needed = 0, seen = 0, version = 0): string {
  return pack(1, outcome) + pack(1, 0) + pack(6, needed) + pack(6, seen) + pack(6, version) + pack(12, 0);
}

/** One call of the script. */
class ClaimBatch {
  private readonly call: ScriptCall;
  private readonly partition: Partition;
  private readonly promotions: (LivePromotion | 'missing' | 'corrupt')[];
  private readonly wallets = new Map<number, Wallet>();
  private readonly events: string[] = [];
  private readonly writes: { wallet: string; fields: [string, string][]; live: string }[] = [];
  private readonly touched = new Set<LivePromotion>();

  constructor(call: ScriptCall, partition: Partition) {
    this.call = call;
    this.partition = partition;
    const count = toNumber(argAt(call, 1)) ?? 0;
    this.promotions = Array.from({ length: count }, (_, index) => this.readPromotion(keyAt(call, 3 + index)));
  }

  run(): string {
    const claims = new Unpacker(argAt(this.call, 6));
    const replies: string[] = [];
    while (!claims.isAtEnd) {
      const promotion = this.promotions[claims.uint(1) - 1];
      const wallet = claims.uint(2);
      const deadline = claims.uint(6);
      const field = claims.take(16);
      const facts = claims.sized(2);
      replies.push(this.decide(promotion, wallet, { deadline, field, facts }));
    }
    const seq = this.write();
    const { now, backlog } = this.partition;
    return `O${pack(6, now)}${pack(6, Math.max(backlog, 0))}${pack(6, seq)}${replies.join('')}`;
  }

  private readPromotion(key: string): LivePromotion | 'missing' | 'corrupt' {
    const { keyspace } = this.call;
    const kind = keyspace.type(key);
    if (kind !== 'hash' && kind !== 'none') return 'corrupt';
    const definition = keyspace.field(key, 'd');
    if (definition === undefined) return 'missing';
    const issued = toNumber(keyspace.field(key, 'issued'));
    const ref = key.slice(toNumber(argAt(this.call, 3)));
    const head = new Unpacker(definition);
    const format = head.uint(1);
    const read = readHead(head);
    if (format !== 1 || issued === undefined) return 'corrupt';
    const number = toNumber(ref);
    if (number === undefined) throw new ScriptError('ERR bad argument to pack');
    const received = toNumber(keyspace.field(key, 'received'));
    return { key, ref, number, counter: `#${pack(4, number)}`, definition, issued, received, ...read };
  }

  private readWallet(index: number, field: string, counter: string): Wallet | undefined {
    const { keyspace } = this.call;
    const key = keyAt(this.call, 2 + this.promotions.length + index);
    const kind = keyspace.type(key);
    if (kind !== 'hash' && kind !== 'none') return undefined;
    const stored = keyspace.hash(key);
    const mark = stored?.get('@');
    const wallet: Wallet = this.wallets.get(index) ?? {
      key,
      user: key.slice(toNumber(argAt(this.call, 2))),
      coupons: new Map(),
      counts: new Map(),
      live: mark === undefined ? 0 : unpack(mark, 6, 2),
      isErased: false,
      isFresh: false,
    };
    this.wallets.set(index, wallet);
    const count = wallet.counts.get(counter) ?? toNumber(stored?.get(counter) ?? '0');
    if (count !== undefined) wallet.counts.set(counter, count);
    const coupon = wallet.coupons.get(field) ?? stored?.get(field);
    if (coupon !== undefined) wallet.coupons.set(field, coupon);
    wallet.isErased = stored?.has('x') ?? false;
    return count === undefined ? undefined : wallet;
  }

  private decide(
    promotion: ClaimBatch['promotions'][number] | undefined,
    index: number,
    claim: Claim,
  ): string {
    if (promotion === undefined) throw new ScriptError('ERR attempt to index a nil value');
    if (promotion === 'missing') return refusal(16);
    if (promotion === 'corrupt') return refusal(18);
    const wallet = this.readWallet(index, claim.field, promotion.counter);
    if (wallet === undefined) return refusal(18);
    if (wallet.isErased) return refusal(19);
    const { faults } = this.call;
    const late = claim.deadline < this.partition.now && !faults.has('deadline-ignored');
    if (faults.has('replay-after-refusals')) {
      const refused = this.claimRefusal(promotion, wallet, claim);
      if (refused !== undefined) return refused;
    }
    const existing = faults.has('replay-ignored') ? undefined : wallet.coupons.get(claim.field);
    if (existing !== undefined) {
      if (existing.length !== COUPON_BYTES) return refusal(18);
      if (unpack(existing, 4, 4) !== promotion.number) return refusal(13);
      return pack(1, 2) + pack(1, this.acknowledgement(promotion)) + existing;
    }
    if (late) return refusal(14, claim.deadline, this.partition.now);
    const refused = this.claimRefusal(promotion, wallet, claim);
    return (
      refused ??
      pack(1, 1) + pack(1, this.acknowledgement(promotion)) + this.issue(promotion, wallet, claim.field)
    );
  }

  private acknowledgement({ ack }: LivePromotion): number {
    if (ack === LEDGER) return LEDGER;
    return ack === DURABLE && argAt(this.call, 5) === '1' ? DURABLE : 1;
  }

  private claimRefusal(p: LivePromotion, wallet: Wallet, claim: Claim): string | undefined {
    const { now, backlog } = this.partition;
    if (p.state === DELETED) return refusal(3);
    if (p.claimable === 0) return refusal(4);
    if (p.state === 0) return refusal(5);
    if (p.starts > now) return refusal(6, p.starts, now);
    if (p.state === FINISHED) return refusal(7, 0, now);
    if (p.ends > 0 && p.ends < now) return refusal(7, p.ends, now);
    if (p.validity === 1 && p.validB > 0 && p.validB < now) return refusal(7, p.validB, now);
    const untargeted = this.targetRefusal(p, claim.facts);
    if (untargeted !== undefined) return untargeted;
    const count = wallet.counts.get(p.counter) ?? 0;
    if (p.limit > 0 && count >= p.limit) return refusal(10, p.limit, count);
    const isSoldOut = p.received !== undefined && p.issued >= p.received;
    if (isSoldOut && !this.call.faults.has('stock-ignored'))
      return refusal(11, p.received, p.issued, p.version);
    if (wallet.live >= WALLET_LIMIT) {
      if (!wallet.isFresh) wallet.live = countLive(this.call, wallet.key, now);
      if (wallet.live >= WALLET_LIMIT) return refusal(12, WALLET_LIMIT, wallet.live);
    }
    if (p.ack === DURABLE && argAt(this.call, 5) === '0') return refusal(17);
    const limit = toNumber(argAt(this.call, 4)) ?? 0;
    if (backlog >= limit) return refusal(15, limit, backlog);
    const leftMs = claim.deadline - now;
    return p.ack === LEDGER && this.oldestWait() > leftMs
      ? refusal(15, leftMs, this.oldestWait())
      : undefined;
  }

  private oldestWait(): number {
    const { keyspace } = this.call;
    const { generation, now } = this.partition;
    const archived = requireNumber(keyspace.field(keyAt(this.call, 2), 'archivedSeq') ?? '-1');
    const entry = keyspace
      .stream(keyAt(this.call, 1))
      ?.entries.find((one) => one.generation > Number(generation) || one.seq > archived);
    return entry === undefined ? 0 : Math.max(0, now - unpack(entry.payload, 1, 6));
  }

  private targetRefusal(p: LivePromotion, facts: string): string | undefined {
    if (p.target === 0) return undefined;
    if (facts.length === 0) return refusal(9, p.target);
    const flags = unpack(facts, 0, 1);
    const registered = unpack(facts, 1, 6);
    const orders = unpack(facts, 7, 4);
    if (p.target === 3) return hasTag(p, facts) ? undefined : refusal(8, p.target);
    if (p.target === 1) {
      if (flags < 2) return refusal(9, p.target);
      return orders === 0 ? undefined : refusal(8, p.target, orders);
    }
    if (flags % 2 === 0) return refusal(9, p.target);
    return this.partition.now - registered < p.targetArg ? undefined : refusal(8, p.target, registered);
  }

  private issue(p: LivePromotion, wallet: Wallet, field: string): string {
    const value = this.couponValue(p);
    const claimed = (wallet.counts.get(p.counter) ?? 0) + 1;
    wallet.live += 1;
    const live = pack(2, wallet.live);
    wallet.counts.set(p.counter, claimed);
    wallet.coupons.set(field, value);
    wallet.isFresh = true;
    p.issued += 1;
    this.touched.add(p);
    this.partition.backlog += 1;
    const walletFields =
      encodeField(field, value) +
      encodeField(p.counter, digits(claimed)) +
      encodeField('@', pack(6, 0) + live);
    const inEvent = this.call.faults.has('counter-not-in-event') ? p.issued - 1 : p.issued;
    this.events.push(
      pack(1, KIND.claimed) +
        pack(1, 2) +
        pack(1, TARGET.wallet) +
        sized(1, wallet.user) +
        pack(1, 3) +
        walletFields +
        pack(1, TARGET.promotion) +
        sized(1, p.ref) +
        pack(1, 1) +
        encodeField('issued', digits(inEvent)),
    );
    const fields: [string, string][] = [
      [field, value],
      [p.counter, digits(claimed)],
    ];
    this.writes.push({ wallet: wallet.key, fields, live });
    return value;
  }

  private couponValue(p: LivePromotion): string {
    const { now } = this.partition;
    const isFixed = p.validity === 1;
    const from = isFixed ? Math.max(p.validA, now) : now;
    const expires = isFixed ? p.validB : now + p.validA;
    const head = `\x01\x01\x02\x00${pack(4, p.number)}${pack(4, p.version)}`;
    return head + pack(6, now) + pack(6, from) + pack(6, expires);
  }

  private write(): number {
    if (this.events.length === 0) return NO_ENTRY;
    const { keyspace } = this.call;
    const stream = keyAt(this.call, 1);
    const seq = appendEntry(this.call, stream, keyAt(this.call, 2), this.partition, this.events);
    for (const { wallet, fields, live } of this.writes) {
      for (const [field, value] of fields) keyspace.setField(wallet, field, value);
      keyspace.setField(wallet, '@', pack(6, seq) + live);
    }
    for (const p of this.touched) keyspace.setField(p.key, 'issued', digits(p.issued));
    return seq;
  }
}

/** Carries the script out. */
export function runClaim(call: ScriptCall): ScriptReply {
  const partition = openPartition(call, keyAt(call, 2), argAt(call, 7));
  return partition === undefined ? 'C' : new ClaimBatch(call, partition).run();
}
