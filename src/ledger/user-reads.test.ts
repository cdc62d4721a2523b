// Reads of many users at once, in the order asked, whatever each is asked for.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  definitionOf,
  isClaimed,
  type LedgerFixture,
  soon,
  startLedgerFixture,
} from '../../test/ledger-fixture.ts';
import { COUPON_BYTES, couponIdIn } from '../domain/coupon.ts';
import { KEYS_PER_READ } from './limits.ts';
import type { HolderAsk } from './reads.ts';
import { ACCOUNT_FIELDS, WALLET_FIELDS } from './record-fields.ts';
import { accountOf, type Step, walletOf } from './transaction.ts';

/** More than two calls of the script read. */
const USERS = KEYS_PER_READ * 2 + 5;
/** Every so manieth user has coupons; the others were never heard of. */
const EVERY = 3;
const FACTS = Buffer.from('facts');

let fixture: LedgerFixture;
const couponIds = new Map<string, string>();
const userIds = Array.from({ length: USERS }, (_, index) => `user-${index}`);
const holders = userIds.filter((_, index) => index % EVERY === 0);
const retiredOf = (userId: string): number => holders.indexOf(userId) + 1;

beforeAll(async () => {
  fixture = await startLedgerFixture({ isDivided: true });
  const { ledger } = fixture;
  await ledger.define(definitionOf(), soon());
  for (const userId of holders) {
    const claimed = await fixture.claim({ user: userId, request: 'one' });
    if (!isClaimed(claimed)) throw new Error(claimed.reason);
    couponIds.set(userId, claimed.couponId);
    const steps: Step[] = [
      { kind: 'set', on: accountOf(userId), field: ACCOUNT_FIELDS.facts.bytes, value: FACTS },
      { kind: 'set', on: accountOf(userId), field: Buffer.from('other'), value: Buffer.from(userId) },
      { kind: 'add', on: walletOf(userId), field: WALLET_FIELDS.retired.bytes, delta: retiredOf(userId) },
    ];
    await ledger.transact({ event: 'facts_changed', opensNew: false, steps }, soon());
  }
});
afterAll(() => fixture.close());

function couponIdsIn(wallet: Uint8Array): string[] {
  const ids: string[] = [];
  for (let at = 0; at < wallet.length; at += COUPON_BYTES) ids.push(couponIdIn(wallet, at, at + 16));
  return ids;
}

const couponsOf = (userId: string): string[] => [couponIds.get(userId) ?? []].flat();
const isHolder = (userId: string): boolean => couponIds.has(userId);

describe('many users at once', () => {
  it('their wallets come in the order asked, with the number of coupons that left', async () => {
    const kept = await fixture.ledger.read(soon(), (reads) => reads.keptWallets(userIds));
    expect(kept.map(({ coupons, retired }) => ({ ids: couponIdsIn(coupons), retired }))).toEqual(
      userIds.map((userId) => ({
        ids: couponsOf(userId),
        retired: isHolder(userId) ? retiredOf(userId) : 0,
      })),
    );
  });

  it('each gets what was asked of it, and nothing of what was not', async () => {
    const accounts = ['none', 'facts', 'whole'] as const;
    const asks = userIds.map((userId, index): HolderAsk => {
      const account = accounts[Math.floor(index / 2) % accounts.length] ?? 'none';
      return { userId, wantsWallet: index % 2 === 0, account };
    });
    const states = await fixture.ledger.read(soon(), (reads) => reads.holders(asks));
    const seen = states.map(({ wallet, account }) => ({
      ids: couponIdsIn(wallet),
      account: [...account].map(([name, value]) => [name, String(value)]).toSorted(),
    }));
    expect(seen).toEqual(
      asks.map(({ userId, wantsWallet, account }) => ({
        ids: wantsWallet ? couponsOf(userId) : [],
        account: isHolder(userId) ? ACCOUNTS[account](userId) : [],
      })),
    );
  });
});

const ACCOUNTS: Readonly<Record<HolderAsk['account'], (userId: string) => string[][]>> = {
  none: () => [],
  facts: () => [[ACCOUNT_FIELDS.facts.name, String(FACTS)]],
  whole: (userId) => [
    [ACCOUNT_FIELDS.facts.name, String(FACTS)],
    ['other', userId],
  ],
};
