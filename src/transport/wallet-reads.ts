/** Wallets that are asked for in one turn of the event loop are read in one round trip. */
import type { Refusal } from '../domain/refusal.ts';
import { asRefusal } from './as-refusal.ts';

/** Hears one of both, unless it is settled before. */
export interface WalletWaiter {
  readonly deadlineMs: number;
  /** The coupons of the user: a field of 16 bytes and a value of 30 each. */
  walletRead(wallet: Uint8Array): void;
  refused(refusal: Refusal): void;
}

/** Reads wallets by their users, in the order asked; throws a refusal when the ledger does not answer. */
export type ReadWallets = (userIds: readonly string[], deadlineMs: number) => Promise<readonly Uint8Array[]>;

/** Wallets in one round trip; more would make the first wait for the last. */
const WALLETS_PER_READ = 128;

/** Gathers the wallets of a turn; see the module's comment. */
export class WalletReads {
  private readonly readWallets: ReadWallets;
  private waiting = new Map<string, WalletWaiter[]>();

  constructor(readWallets: ReadWallets) {
    this.readWallets = readWallets;
  }

  /** Reads the wallet of a user for one who waits. */
  read(userId: string, waiter: WalletWaiter): void {
    if (this.waiting.size === 0) setImmediate(() => this.sendAll());
    const others = this.waiting.get(userId);
    if (others === undefined) this.waiting.set(userId, [waiter]);
    else others.push(waiter);
  }

  private sendAll(): void {
    const wanted = [...this.waiting];
    this.waiting = new Map();
    for (let start = 0; start < wanted.length; start += WALLETS_PER_READ) {
      void this.send(wanted.slice(start, start + WALLETS_PER_READ));
    }
  }

  private async send(wanted: readonly (readonly [string, readonly WalletWaiter[]])[]): Promise<void> {
    const waiters = wanted.map(([, waiting]) => waiting);
    try {
      const deadlineMs = Math.max(...waiters.flat().map((waiter) => waiter.deadlineMs));
      const wallets = await this.readWallets(
        wanted.map(([userId]) => userId),
        deadlineMs,
      );
      for (const [index, waiting] of waiters.entries()) {
        for (const waiter of waiting) waiter.walletRead(wallets[index] ?? new Uint8Array());
      }
    } catch (error) {
      const refusal = asRefusal(error, 'The wallet could not be read');
      for (const waiter of waiters.flat()) waiter.refused(refusal);
    }
  }
}
