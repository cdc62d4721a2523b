/** What is kept about users, for questions about carts: wallets, and of the accounts as much as somebody needs. */
import type { HolderAsk, HolderState } from '../ledger/reads.ts';
import type { DeadlineWatch } from './deadline-watch.ts';
import { TurnReads } from './turn-reads.ts';

/** Reads wallets and accounts, in the order asked; throws a refusal when the ledger does not answer. */
export type ReadHolders = (asks: readonly HolderAsk[], deadlineMs: number) => Promise<readonly HolderState[]>;

/** Gathers what questions of one turn ask. */
export type WalletReads = TurnReads<HolderAsk, HolderState>;

/** Makes them. */
export function walletReads(readAll: ReadHolders, deadlines: DeadlineWatch): WalletReads {
  return new TurnReads({ readAll, together, deadlines });
}

function together(one: HolderAsk, other: HolderAsk): HolderAsk {
  const account = one.account === 'whole' || other.account === 'none' ? one.account : other.account;
  return { ...one, wantsWallet: one.wantsWallet || other.wantsWallet, account };
}
