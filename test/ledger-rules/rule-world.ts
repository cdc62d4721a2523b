/** What a rule is looked at with: a fresh ledger, and its scripts one call at a time. */
import type { LiveDefinition } from '../../src/domain/live-definition.ts';
import { type BatchSettings, decodeBatchReply, encodeBatch } from '../../src/ledger/claim-batch.ts';
import { couponFieldHex } from '../../src/ledger/coupon-field.ts';
import { decodeEntry, type LedgerEntry } from '../../src/ledger/event-format.ts';
import { type PartitionKeys, partitionKeys } from '../../src/ledger/keys.ts';
import { runScript } from '../../src/ledger/script-runner.ts';
import type { Step } from '../../src/ledger/transaction.ts';
import { encodeTransactions } from '../../src/ledger/transaction-codec.ts';
import { decodeTransactionsReply } from '../../src/ledger/transaction-reply.ts';
import { definitionOf, type LedgerFixture, soon } from '../ledger-fixture.ts';

const KEYS: PartitionKeys = partitionKeys(0);
const NO_LIMIT = 1_000_000;

/** One claim, sent alone. */
export interface SingleClaim {
  readonly user: string;
  readonly request: string;
  readonly ref?: number;
  /** Of the server's clock; absent = late enough. */
  readonly deadlineMs?: number;
  readonly settings?: Partial<BatchSettings>;
}

/** A ledger for one look at one rule. */
export class RuleWorld {
  readonly fixture: LedgerFixture;
  readonly keys = KEYS;

  constructor(fixture: LedgerFixture) {
    this.fixture = fixture;
  }

  async define(overrides: Partial<LiveDefinition> = {}): Promise<void> {
    await this.fixture.ledger.define(definitionOf(overrides), soon());
  }

  /** The outcome's number in claim.lua; 'closed' where the gate is, 'failed' where the script broke. */
  async claim(claim: SingleClaim): Promise<number | string> {
    const reply = await this.sendClaim(claim).catch(() => 'failed' as const);
    return reply === 'failed' ? reply : (reply?.outcome(0) ?? 'closed');
  }

  /** The level a claim that is carried out is answered with. */
  async acknowledged(claim: SingleClaim): Promise<string | undefined> {
    return (await this.sendClaim(claim))?.coupon(0, couponFieldHex('claim', claim.user, claim.request))
      .acknowledgement;
  }

  private async sendClaim({ user, request, ref = 1, deadlineMs, settings }: SingleClaim) {
    const listener = { claimed: () => undefined, refused: () => undefined };
    const claim = {
      request: {
        promotionRef: ref,
        userId: user,
        fieldHex: couponFieldHex('claim', user, request),
        deadlineMs: deadlineMs ?? soon() + NO_LIMIT,
        facts: undefined,
        listener,
      },
      facts: Buffer.alloc(0),
      costUs: 1,
      isSettled: false,
      unknownUntilMs: 0,
    };
    const { keys, args } = encodeBatch([claim], KEYS, {
      backlogLimitEvents: NO_LIMIT,
      durability: 'honest',
      clockOffsetMs: 0,
      attemptUntilMs: Number.MAX_SAFE_INTEGER,
      ...settings,
    });
    return decodeBatchReply(await runScript(this.fixture.redis, 'claim', keys, args), 1);
  }

  /** What became of one transaction; 'closed' where the gate is. */
  async transact(
    steps: readonly Step[],
    { opensNew = false, serverDeadlineMs = soon() + NO_LIMIT, backlogLimitEvents = NO_LIMIT } = {},
  ): Promise<string> {
    const transaction = { event: 'reserved' as const, opensNew, steps };
    const { keys, args } = encodeTransactions([{ transaction, serverDeadlineMs }], KEYS, backlogLimitEvents);
    const reply = await runScript(this.fixture.redis, 'transact', keys, args);
    const decoded = decodeTransactionsReply(reply, 1);
    if (decoded === undefined) return 'closed';
    const [outcome] = decoded.outcomes;
    return typeof outcome === 'string' ? outcome : (outcome?.kind ?? 'none');
  }

  /** Sets fields of the partition's own record, behind the ledger's back. */
  async plant(fields: Record<string, string | number>): Promise<void> {
    await this.fixture.redis.hset(KEYS.meta, fields);
  }

  async meta(field: string): Promise<string | null> {
    return await this.fixture.redis.hget(KEYS.meta, field);
  }

  async wallet(user: string): Promise<Record<string, string>> {
    return await this.fixture.redis.hgetall(KEYS.walletPrefix + user);
  }

  /** Ids of the stream's entries, oldest first. */
  async entryIds(): Promise<string[]> {
    const entries = await this.fixture.redis.xrange(KEYS.stream, '-', '+');
    return entries.map(([id]) => id);
  }

  async lastEntry(): Promise<LedgerEntry> {
    const seq = (await this.fixture.admin.lastSeq()) ?? -1;
    return decodeEntry((await this.fixture.admin.readEntry(seq)) ?? Buffer.alloc(0));
  }
}
