/**
 * Reads of the live state, wherever it is: what belongs to a user is read from the user's partition, what belongs to a
 * promotion from all of them. They see every write acknowledged before them.
 */
import { partitionOf } from './keys.ts';
import type { PartitionReads, Stock, StoredBody } from './partition-reads.ts';
import { type RecordName, userOfRecord } from './transaction.ts';
import type { HolderAsk, HolderState } from './user-reads.ts';
import type { KeptWallet, WalletCoupon } from './wallet.ts';

export type { Stock, StoredBody } from './partition-reads.ts';
export type { HolderAsk, HolderState } from './user-reads.ts';

/** Some fields of a record. */
export interface FieldsAsk {
  readonly on: RecordName;
  readonly fields: readonly Buffer[];
}

/** The reading side of the ledger. Methods throw what the driver throws. */
export class LedgerReads {
  private readonly partitions: readonly PartitionReads[];
  /** The first partition, and the only one where there is one. */
  private readonly first: PartitionReads;
  private readonly isOnly: boolean;

  /** @param partitions in their order, at least one */
  constructor(partitions: readonly PartitionReads[]) {
    const [first] = partitions;
    if (first === undefined) throw new RangeError('a ledger without partitions');
    this.partitions = partitions;
    this.first = first;
    this.isOnly = partitions.length === 1;
  }

  /** Counters of promotions, in the order asked; a promotion the ledger does not know counts zero. */
  async stock(refs: readonly number[], userId: string | undefined): Promise<Stock[]> {
    if (this.isOnly) return await this.first.stock(refs, userId);
    const own = userId === undefined ? undefined : this.of(userId);
    const all = await Promise.all(
      this.partitions.map((partition) => partition.stock(refs, partition === own ? userId : undefined)),
    );
    return refs.map((ref, index) =>
      stockSum(
        ref,
        all.flatMap((stocks) => stocks[index] ?? []),
      ),
    );
  }

  /** Every coupon of a wallet, newest first. */
  async wallet(userId: string): Promise<WalletCoupon[]> {
    return await this.of(userId).wallet(userId);
  }

  /** Several wallets, each with the number of coupons that left it for the archive; one round trip per partition. */
  async keptWallets(userIds: readonly string[]): Promise<KeptWallet[]> {
    return await this.spread(
      userIds,
      (userId) => userId,
      (partition, own) => partition.keptWallets(own),
    );
  }

  /** How many coupons left the wallet for the archive. */
  async retiredCount(userId: string): Promise<number> {
    return await this.of(userId).retiredCount(userId);
  }

  /**
   * Wallets and accounts of several users in one round trip per partition, in the order asked: of every coupon its
   * field of 16 bytes and its value of 30, in no stated order; nothing when the wallet was not asked for.
   */
  async holders(asks: readonly HolderAsk[]): Promise<HolderState[]> {
    return await this.spread(
      asks,
      ({ userId }) => userId,
      (partition, own) => partition.holders(own),
    );
  }

  /**
   * Counters in records of promotions, in the order asked; null where no partition has such a field. Each partition counts
   * for itself, so they are added up.
   */
  async counters(asks: readonly FieldsAsk[]): Promise<(number | null)[][]> {
    const all = await Promise.all(this.partitions.map((partition) => partition.fields(asks)));
    return asks.map(({ fields }, ask) =>
      fields.map((_, field) => counterSum(all.map((each) => each[ask]?.[field]))),
    );
  }

  /** Number of the entry of the user's partition that last changed anything of the user; undefined while nothing did. */
  async lastSeq(userId: string): Promise<number | undefined> {
    return await this.of(userId).lastSeq(userId);
  }

  /** One coupon of a wallet by its field. */
  async coupon(userId: string, fieldHex: string): Promise<WalletCoupon | undefined> {
    return await this.of(userId).coupon(userId, fieldHex);
  }

  /**
   * All fields of some records by name (latin1), in the order asked; empty where there is no such record. Records of a
   * promotion are those of the partition of the users named beside them. Throws TypeError when there is no user among them:
   * `Ledger.recordsAt` reads a stated partition.
   */
  async records(names: readonly RecordName[]): Promise<Map<string, Buffer>[]> {
    if (this.isOnly || names.length === 0) return await this.first.records(names);
    const user = names.map(userOfRecord).find((userId) => userId !== undefined);
    if (user === undefined) throw new TypeError('records of no user need a partition');
    const owner = (name: RecordName): string => userOfRecord(name) ?? user;
    return await this.spread(names, owner, (partition, own) => partition.records(own));
  }

  /** `<user>/<order>`s that are due at or before `untilMs`; of each partition the longest overdue first, at most `limit`. */
  async dueOrders(untilMs: number, limit: number): Promise<string[]> {
    const all = await this.askAll((partition) => partition.dueOrders(untilMs, limit));
    return all.flat();
  }

  /** The ref the ledger knows a promotion id by; undefined when it does not. */
  async refOf(promotionId: string): Promise<number | undefined> {
    const refs = await this.askAll((partition) => partition.refOf(promotionId));
    return refs.find((ref) => ref !== undefined);
  }

  /** The stored promotions, each in the newest version any partition has, so that a process can start while Postgres is down. */
  async definitionBodies(): Promise<StoredBody[]> {
    const newest = new Map<number, StoredBody>();
    for (const stored of (await this.askAll((partition) => partition.definitionBodies())).flat()) {
      if (stored.version > (newest.get(stored.ref)?.version ?? -1)) newest.set(stored.ref, stored);
    }
    return [...newest.values()];
  }

  private of(userId: string): PartitionReads {
    if (this.isOnly) return this.first;
    return this.partitions[partitionOf(userId, this.partitions.length)] ?? this.first;
  }

  /** What every partition that can be reached answers; what one has, others have too or will be found later. */
  private async askAll<Answer>(ask: (partition: PartitionReads) => Promise<Answer>): Promise<Answer[]> {
    const answers = await Promise.allSettled(this.partitions.map(ask));
    const given = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const [failed] = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    if (given.length === 0) throw failed;
    return given;
  }

  /** Asks each partition for its own, and puts the answers back in order. */
  private async spread<Item, Answer>(
    items: readonly Item[],
    userOf: (item: Item) => string,
    ask: (partition: PartitionReads, own: readonly Item[]) => Promise<Answer[]>,
  ): Promise<Answer[]> {
    if (this.isOnly) return await ask(this.first, items);
    const placed = items.map((item, place) => ({ item, place }));
    const groups = Map.groupBy(placed, ({ item }) => this.of(userOf(item)));
    const answers = new Array<Answer>(items.length);
    const asked = [...groups].map(async ([partition, own]) => {
      const given = await ask(
        partition,
        own.map(({ item }) => item),
      );
      for (const [index, answer] of given.entries()) answers[own[index]?.place ?? 0] = answer;
    });
    await Promise.all(asked);
    return answers;
  }
}

function stockSum(ref: number, stocks: readonly Stock[]): Stock {
  const sum = (pick: (stock: Stock) => number): number =>
    stocks.reduce((total, stock) => total + pick(stock), 0);
  const isLimited = stocks.some(({ received }) => received !== undefined);
  const returned = sum((stock) => stock.returned ?? 0);
  return {
    ref,
    issued: sum(({ issued }) => issued),
    ...(isLimited && { received: sum((stock) => stock.received ?? 0) }),
    ...(returned > 0 && { returned }),
    claimedByUser: sum(({ claimedByUser }) => claimedByUser),
  };
}

function counterSum(values: readonly (Buffer | null | undefined)[]): number | null {
  const known = values.flatMap((value) => (value ? [Number(value)] : []));
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}
