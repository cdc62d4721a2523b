import { textArray } from '../../database/array-literal.ts';
import type { Sql } from '../../database/client.ts';
import { COUPON_FIELD_BYTES, decodeCouponValue } from '../../domain/coupon.ts';
import { SEQUENCE_FIELD } from '../../ledger/record-fields.ts';
import type { LedgerAdmin } from '../ledger-port.ts';
import type { RecordImage } from './apply-write.ts';
import type { Check } from './check.ts';
import { compareFields } from './compare-fields.ts';

/** What a comparison of wallets works with. */
export interface WalletComparison {
  readonly sql: Sql;
  readonly ledger: LedgerAdmin;
  readonly check: Check;
  readonly wallets: ReadonlyMap<string, RecordImage>;
  /** Entry up to which the fold and the comparison reach. */
  readonly cursorSeq: number;
  readonly isWhole: boolean;
}

interface ArchivedCoupon {
  readonly user_id: string;
  readonly coupon_id: Buffer;
  readonly value: Buffer;
  readonly state: string;
  readonly hidden: boolean;
  readonly promotion_ref: number;
  readonly seq: string;
  /** It left Redis and stays in the archive. */
  readonly retired: boolean;
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
  const archived = await readCoupons(comparison.sql, userIds);
  const moving: string[] = [];
  userIds.forEach((userId, index) => {
    const wallet = live[index] ?? new Map<string, Buffer>();
    const coupons = archived.get(userId) ?? [];
    if (hasMoved(wallet, coupons, comparison.cursorSeq)) moving.push(userId);
    else compareWallet(comparison, userId, wallet, coupons);
  });
  return moving;
}

async function readCoupons(sql: Sql, userIds: readonly string[]): Promise<Map<string, ArchivedCoupon[]>> {
  const rows = await sql<ArchivedCoupon[]>`
    SELECT user_id, coupon_id, value, state, hidden, promotion_ref, seq, retired FROM coupon
    WHERE user_id = ANY(${textArray(userIds)}::text[])`;
  return Map.groupBy(rows, (row) => row.user_id);
}

function hasMoved(
  wallet: ReadonlyMap<string, Buffer>,
  coupons: readonly ArchivedCoupon[],
  cursorSeq: number,
): boolean {
  const mark = wallet.get(SEQUENCE_FIELD.bytes.toString('hex'));
  const liveSeq =
    mark !== undefined && mark.length >= SEQUENCE_BYTES ? mark.readUIntBE(0, SEQUENCE_BYTES) : 0;
  return liveSeq > cursorSeq || coupons.some((coupon) => Number(coupon.seq) > cursorSeq);
}

function compareWallet(
  { check, wallets, isWhole }: WalletComparison,
  userId: string,
  wallet: ReadonlyMap<string, Buffer>,
  coupons: readonly ArchivedCoupon[],
): void {
  check.count('wallets');
  check.count('coupons', coupons.length);
  const live = latin1Fields(wallet);
  const folded = wallets.get(userId) ?? new Map<string, string>();
  compareFields(check, `Redis wallet ${userId}`, live, folded, !isWhole);
  const archived = new Map(
    coupons.map((coupon) => [coupon.coupon_id.subarray(HASH_OFFSET).toString('latin1'), coupon]),
  );
  check.require(
    archived.size === coupons.length,
    () => `Postgres holds a coupon of ${userId} under two issue times`,
  );
  const values = new Map(
    [...archived]
      .filter(([, { retired }]) => !retired)
      .map(([field, { value }]) => [field, value.toString('latin1')]),
  );
  // Without the start of the log, Redis is the only one that knows the whole wallet.
  const expected = isWhole ? folded : live;
  compareFields(check, `Postgres coupons of ${userId}`, values, couponsOnly(expected), false);
  for (const coupon of coupons) compareColumns(check, coupon);
}

function latin1Fields(wallet: ReadonlyMap<string, Buffer>): Map<string, string> {
  return new Map([...wallet].map(([field, value]) => [fromHex(field), value.toString('latin1')]));
}

function fromHex(text: string): string {
  return Buffer.from(text, 'hex').toString('latin1');
}

function couponsOnly(image: RecordImage): RecordImage {
  return new Map([...image].filter(([field]) => field.length === COUPON_FIELD_BYTES));
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
