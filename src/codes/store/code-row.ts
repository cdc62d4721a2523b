import { bytesArray } from '../../database/array-literal.ts';
import { type Sql, withDeadline } from '../../database/client.ts';

/** What is kept of a code. */
export interface CodeRow {
  readonly hash: Buffer;
  readonly promotion_ref: number;
  readonly state: 'free' | 'held' | 'used';
  readonly user_id: string | null;
  readonly order_id: string | null;
  readonly request_id: string | null;
}

/** The codes with these digests; those that do not exist are left out. */
export async function readCodes(
  sql: Sql,
  hashes: readonly Buffer[],
  deadlineMs: number,
): Promise<readonly CodeRow[]> {
  return await withDeadline(
    sql<CodeRow[]>`
      select hash, promotion_ref, state, user_id, order_id, request_id
      from promo_code
      where hash = any(${bytesArray(hashes)}::bytea[])`,
    deadlineMs,
  );
}

/** Whether any code was brought by an import: those need not have a check letter. */
export async function haveCodesBeenImported(sql: Sql, deadlineMs: number): Promise<boolean> {
  const rows = await withDeadline(
    sql`select from code_job where kind = 'import' and made > 0 limit 1`,
    deadlineMs,
  );
  return rows.length > 0;
}

/** Whose a code is. */
export interface CodeOwner {
  readonly promotion_ref: number;
  /** Number of the job that brought it. */
  readonly job: number;
}

/** Whose the codes with these digests are, by digest in hex. */
export async function readOwners(
  sql: Sql,
  hashes: readonly Buffer[],
  deadlineMs: number,
): Promise<ReadonlyMap<string, CodeOwner>> {
  const rows = await withDeadline(
    sql<(CodeOwner & { hash: Buffer })[]>`
      select hash, promotion_ref, job from promo_code where hash = any(${bytesArray(hashes)}::bytea[])`,
    deadlineMs,
  );
  return new Map(rows.map((row) => [row.hash.toString('hex'), row]));
}

/** A code as it is exported. */
export interface ExportRow {
  readonly hash: Buffer;
  readonly number: number;
  readonly cipher: Buffer | null;
  readonly state: 'free' | 'held' | 'used';
  readonly user_id: string | null;
  readonly used_at: Date | null;
}

/** The next codes of a job after one of them, in order; from the first when there is none. */
export async function readExportRows(
  sql: Sql,
  job: number,
  after: Pick<ExportRow, 'number' | 'hash'> | undefined,
  limit: number,
  deadlineMs: number,
): Promise<readonly ExportRow[]> {
  const { number, hash } = after ?? { number: 0, hash: Buffer.alloc(0) };
  return await withDeadline(
    sql<ExportRow[]>`
      select hash, number, cipher, state, user_id, used_at
      from promo_code
      where job = ${job} and number >= ${number} and (number, hash) > (${number}, ${hash})
      order by number, hash
      limit ${limit}`,
    deadlineMs,
  );
}
