import type { Sql } from '../../database/client.ts';
import { decodeCouponValue } from '../../domain/coupon.ts';
import { SEQUENCE_FIELD } from '../../ledger/record-fields.ts';
import type { LedgerAdmin, PartitionId } from '../ledger-port.ts';
import { type ArchivedCoupon, type ArchivedWallet, readArchivedWallets } from '../wallet-images.ts';
import type { RecordImage } from './apply-write.ts';
import type { Check } from './check.ts';
import { compareFields } from './compare-fields.ts';

/** What a comparison of wallets works with. */
export interface WalletComparison {
  readonly sql: Sql;
  readonly id: PartitionId;
  readonly ledger: LedgerAdmin;
  readonly check: Check;
  readonly wallets: ReadonlyMap<string, RecordImage>;
  /** Entry up to which the fold and the comparison reach. */
  readonly cursorSeq: number;
  readonly isWhole: boolean;
}

const HASH_OFFSET = 6;
const SEQUENCE_BYTES = 6;

/**
 * Compares the wallets of these users three ways: Redis, the fold of the events, Postgres (I6). Answers with the users whose
 * wallet has moved beyond the cursor meanwhile: they say nothing yet and can be compared at a later cursor.
 */
export async function compareWallets(
  comparison: WalletComparison,
  userIds: readonly string[],
): Promise<string[]> {
  if (userIds.length === 0) return [];
  // Redis first: a wallet that is at the cursor there may only be newer in Postgres, which its rows then say.
  const live = await comparison.ledger.readWallets(userIds);
  const archived = await readArchivedWallets(comparison.sql, comparison.id, userIds);
  const moving: string[] = [];
  userIds.forEach((userId, index) => {
    const wallet = live[index] ?? new Map<string, Buffer>();
    const kept = archived[index] ?? { fields: new Map(), coupons: [] };
    if (hasMoved(wallet, kept, comparison)) moving.push(userId);
    else compareWallet(comparison, userId, wallet, kept);
  });
  return moving;
}

function hasMoved(
  wallet: ReadonlyMap<string, Buffer>,
  { fields, coupons }: ArchivedWallet,
  { id, cursorSeq }: WalletComparison,
): boolean {
  const liveSeq = lastEventOf(wallet.get(SEQUENCE_FIELD.bytes.toString('hex')));
  if (liveSeq > cursorSeq || lastEventOf(fields.get(SEQUENCE_FIELD.name)) > cursorSeq) return true;
  return coupons.some(({ generation, seq }) => generation === id.generation && Number(seq) > cursorSeq);
}

function lastEventOf(mark: Buffer | undefined): number {
  return mark !== undefined && mark.length >= SEQUENCE_BYTES ? mark.readUIntBE(0, SEQUENCE_BYTES) : 0;
}

function compareWallet(
  { check, wallets, isWhole }: WalletComparison,
  userId: string,
  wallet: ReadonlyMap<string, Buffer>,
  { fields, coupons }: ArchivedWallet,
): void {
  check.count('wallets');
  check.count('coupons', coupons.length);
  const live = latin1Fields(wallet);
  const folded = wallets.get(userId) ?? new Map<string, string>();
  compareFields(check, `Redis wallet ${userId}`, live, folded, !isWhole);
  const names = new Set(coupons.map(({ coupon_id }) => coupon_id.subarray(HASH_OFFSET).toString('latin1')));
  check.require(
    names.size === coupons.length,
    () => `Postgres holds a coupon of ${userId} under two issue times`,
  );
  const archived = new Map([...fields].map(([field, value]) => [field, value.toString('latin1')]));
  // Without the start of the log, Redis is the only one that knows the whole wallet.
  compareFields(check, `Postgres wallet of ${userId}`, archived, isWhole ? folded : live, false);
  for (const coupon of coupons) compareColumns(check, coupon);
}

function latin1Fields(wallet: ReadonlyMap<string, Buffer>): Map<string, string> {
  return new Map([...wallet].map(([field, value]) => [fromHex(field), value.toString('latin1')]));
}

function fromHex(text: string): string {
  return Buffer.from(text, 'hex').toString('latin1');
}

/** The columns people query must say what the coupon's bytes say. */
function compareColumns(check: Check, row: ArchivedCoupon): void {
  const id = row.coupon_id.toString('hex');
  try {
    const coupon = decodeCouponValue(row.value);
    const agrees =
      coupon.state === row.state &&
      coupon.hidden === row.hidden &&
      coupon.promotionRef === Number(row.promotion_ref) &&
      coupon.issuedAtMs === row.coupon_id.readUIntBE(0, HASH_OFFSET);
    check.require(agrees, () => `the columns of coupon ${id} contradict its value`);
  } catch {
    check.breach(`the value of coupon ${id} cannot be read`);
  }
}
