/** Wallets and accounts of many users, by as few calls of the script `read` as may be. */
import type { Redis } from 'ioredis';
import { buffers, fieldsByName } from './hash-reply.ts';
import type { PartitionKeys } from './keys.ts';
import { KEYS_PER_READ } from './limits.ts';
import { ACCOUNT_FIELDS } from './record-fields.ts';
import { runScript } from './script-runner.ts';
import { type KeptWallet, keptWallet } from './wallet.ts';

/** What is to be read of a user. */
export interface HolderAsk {
  readonly userId: string;
  readonly wantsWallet: boolean;
  /** What of the account: nothing, field `f` only, or all of its fields. */
  readonly account: 'none' | 'facts' | 'whole';
}

/** A user's wallet as bytes, and fields of the account by name (latin1). */
export interface HolderState {
  readonly wallet: Uint8Array;
  readonly account: ReadonlyMap<string, Buffer>;
}

/** What `scripts/read.lua` is asked for by key. */
type ReadWhat = 'w' | 'f' | 'a';

/** A key, and what is read of it. */
interface Wanted {
  readonly key: string;
  readonly what: ReadWhat;
}

const NO_BYTES = new Uint8Array();
const NO_FIELDS: ReadonlyMap<string, Buffer> = new Map();

/** Wallets in the order asked. Throws ScriptFailure. */
export async function readKeptWallets(
  redis: Redis,
  { walletPrefix }: PartitionKeys,
  userIds: readonly string[],
): Promise<KeptWallet[]> {
  const replies = await readAll(
    redis,
    userIds.map((userId) => ({ key: walletPrefix + userId, what: 'w' })),
  );
  return replies.map(keptWallet);
}

/** Wallets and accounts in the order asked; nothing of what was not asked for. Throws ScriptFailure. */
export async function readHolders(
  redis: Redis,
  { walletPrefix, accountPrefix }: PartitionKeys,
  asks: readonly HolderAsk[],
): Promise<HolderState[]> {
  const wanted: Wanted[] = [];
  for (const { userId, wantsWallet, account } of asks) {
    if (wantsWallet) wanted.push({ key: walletPrefix + userId, what: 'w' });
    if (account !== 'none')
      wanted.push({ key: accountPrefix + userId, what: account === 'facts' ? 'f' : 'a' });
  }
  const replies = (await readAll(redis, wanted)).values();
  const next = (): unknown => replies.next().value;
  return asks.map(({ wantsWallet, account }) => ({
    wallet: wantsWallet ? keptWallet(next()).coupons : NO_BYTES,
    account: account === 'none' ? NO_FIELDS : accountOf(account, next()),
  }));
}

function accountOf(account: 'facts' | 'whole', reply: unknown): ReadonlyMap<string, Buffer> {
  if (account === 'whole') return fieldsByName(buffers(reply));
  return Buffer.isBuffer(reply) ? new Map([[ACCOUNT_FIELDS.facts.name, reply]]) : NO_FIELDS;
}

/** What the script answers, key by key. */
async function readAll(redis: Redis, wanted: readonly Wanted[]): Promise<unknown[]> {
  const parts: Promise<unknown>[] = [];
  for (let start = 0; start < wanted.length; start += KEYS_PER_READ) {
    const part = wanted.slice(start, start + KEYS_PER_READ);
    const letters = part.map(({ what }) => what).join('');
    parts.push(
      runScript(
        redis,
        'read',
        part.map(({ key }) => key),
        [letters],
      ),
    );
  }
  return (await Promise.all(parts)).flat(1);
}
