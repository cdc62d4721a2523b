/** What is kept about users is read in one round trip for all that are asked about in one turn of the event loop. */
import type { Refusal } from '../domain/refusal.ts';
import type { HolderAsk, HolderState } from '../ledger/reads.ts';
import { asRefusal } from './as-refusal.ts';

/** Hears one of both, unless it is settled before. */
export interface HolderWaiter {
  readonly deadlineMs: number;
  holderRead(holder: HolderState): void;
  holderNotRead(refusal: Refusal): void;
}

/** Reads wallets and accounts, in the order asked; throws a refusal when the ledger does not answer. */
export type ReadHolders = (asks: readonly HolderAsk[], deadlineMs: number) => Promise<readonly HolderState[]>;

/** Users in one round trip; more would make the first wait for the last. */
const USERS_PER_READ = 128;

const NOTHING_KEPT: HolderState = { wallet: new Uint8Array(), account: new Map() };

interface Wanted {
  ask: HolderAsk;
  readonly waiters: HolderWaiter[];
}

/** Gathers the questions of a turn; see the module's comment. */
export class WalletReads {
  private readonly readHolders: ReadHolders;
  private waiting = new Map<string, Wanted>();

  constructor(readHolders: ReadHolders) {
    this.readHolders = readHolders;
  }

  /** Reads what is asked about a user, or more, for one who waits. */
  read(ask: HolderAsk, waiter: HolderWaiter): void {
    if (this.waiting.size === 0) setImmediate(() => this.sendAll());
    const others = this.waiting.get(ask.userId);
    if (others === undefined) {
      this.waiting.set(ask.userId, { ask, waiters: [waiter] });
    } else {
      others.ask = together(others.ask, ask);
      others.waiters.push(waiter);
    }
  }

  private sendAll(): void {
    const wanted = [...this.waiting.values()];
    this.waiting = new Map();
    for (let start = 0; start < wanted.length; start += USERS_PER_READ) {
      void this.send(wanted.slice(start, start + USERS_PER_READ));
    }
  }

  private async send(wanted: readonly Wanted[]): Promise<void> {
    const everybody = wanted.flatMap(({ waiters }) => waiters);
    try {
      const deadlineMs = Math.max(...everybody.map((waiter) => waiter.deadlineMs));
      const holders = await this.readHolders(
        wanted.map(({ ask }) => ask),
        deadlineMs,
      );
      for (const [index, { waiters }] of wanted.entries()) {
        for (const waiter of waiters) waiter.holderRead(holders[index] ?? NOTHING_KEPT);
      }
    } catch (error) {
      const refusal = asRefusal(error, 'The wallet could not be read');
      for (const waiter of everybody) waiter.holderNotRead(refusal);
    }
  }
}

function together(one: HolderAsk, other: HolderAsk): HolderAsk {
  const account = one.account === 'whole' || other.account === 'none' ? one.account : other.account;
  return { ...one, wantsWallet: one.wantsWallet || other.wantsWallet, account };
}
