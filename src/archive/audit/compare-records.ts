import { textArray } from '../../database/array-literal.ts';
import type { Sql } from '../../database/client.ts';
import type { LedgerAdmin, PartitionId, RecordClass } from '../ledger-port.ts';
import type { RecordImage } from './apply-write.ts';
import type { Check } from './check.ts';
import { compareFields } from './compare-fields.ts';
import type { TouchedRecords } from './touched-records.ts';

/** What a comparison of records works with. */
export interface RecordComparison {
  readonly sql: Sql;
  readonly id: PartitionId;
  readonly ledger: LedgerAdmin;
  readonly check: Check;
  readonly touched: TouchedRecords;
  /** False when the log does not reach back to the start: Redis is then held to Postgres. */
  readonly isWhole: boolean;
}

const NOTHING: RecordImage = new Map();

/**
 * Compares records of one class three ways: Redis, the fold of the events up to `cursorSeq`, Postgres (I6). Answers with
 * those that were written beyond the cursor meanwhile: they can be compared at a later one.
 */
export async function compareRecords(
  comparison: RecordComparison,
  target: RecordClass,
  images: ReadonlyMap<string, RecordImage>,
  ids: readonly string[],
  cursorSeq: number,
): Promise<string[]> {
  if (ids.length === 0) return [];
  const { check, touched, isWhole } = comparison;
  const live = await comparison.ledger.readRecords(target, ids);
  const archived = await readArchived(comparison, target, ids);
  await touched.refresh();
  const moving = ids.filter((id) => touched.isNewer(target, id, cursorSeq));
  ids.forEach((id, index) => {
    if (moving.includes(id)) return;
    check.count('records');
    const redis = latin1Fields(live[index]);
    const folded = images.get(id) ?? NOTHING;
    compareFields(check, `Redis ${target} ${id}`, redis, folded, !isWhole);
    // Without the start of the log, Redis is the only one that knows the whole record.
    const expected = isWhole ? folded : redis;
    compareFields(check, `Postgres ${target} ${id}`, archived.get(id) ?? NOTHING, expected, false);
  });
  return moving;
}

/** Compares when orders are due: Redis and the events. Answers with those that moved. */
export async function compareDue(
  { ledger, check, touched, isWhole }: RecordComparison,
  due: RecordImage,
  members: readonly string[],
  cursorSeq: number,
): Promise<string[]> {
  if (members.length === 0) return [];
  const live = await ledger.readDue(members);
  await touched.refresh();
  const moving = members.filter((member) => touched.isNewer('due', member, cursorSeq));
  members.forEach((member, index) => {
    const expected = due.get(member);
    if (moving.includes(member) || (!isWhole && expected === undefined)) return;
    const seen = live[index];
    check.require(String(seen) === String(expected), () => {
      return `Redis has order ${member} due at ${seen}, the events at ${expected}`;
    });
  });
  return moving;
}

async function readArchived(
  { sql, id: { generation, partition } }: RecordComparison,
  target: RecordClass,
  ids: readonly string[],
): Promise<Map<string, Map<string, string>>> {
  const rows = await sql<{ id: string; field: Buffer; value: Buffer }[]>`
    SELECT id, field, value FROM ledger_field
    WHERE generation = ${generation} AND partition = ${partition} AND target = ${target}
      AND id = ANY(${textArray(ids)}::text[]) AND NOT retired`;
  const records = new Map<string, Map<string, string>>();
  for (const { id, field, value } of rows) {
    const record = records.get(id) ?? new Map<string, string>();
    records.set(id, record.set(field.toString('latin1'), value.toString('latin1')));
  }
  return records;
}

function latin1Fields(record: ReadonlyMap<string, Buffer> | undefined): RecordImage {
  return new Map([...(record ?? [])].map(([field, value]) => [field, value.toString('latin1')]));
}
