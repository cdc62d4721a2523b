import type { Sql } from '../../database/client.ts';
import { appliedValue, decodeEntry } from '../../ledger/event-format.ts';
import { PROMOTION_FIELDS } from '../../ledger/record-fields.ts';
import type { LedgerAdmin, PartitionId, StreamEntry } from '../ledger-port.ts';
import type { Check } from './check.ts';
import type { PromotionFold, PromotionImages } from './promotion-fold.ts';
import { walkLog } from './walk-log.ts';

/** What a comparison of promotion records works with; the fold stands at entry `foldSeq`. */
export interface PromotionComparison {
  readonly sql: Sql;
  readonly id: PartitionId;
  readonly ledger: LedgerAdmin;
  readonly check: Check;
  readonly fold: PromotionFold;
  readonly foldSeq: number;
  /** False when the log does not reach back to the start: Redis is then held to Postgres. */
  readonly isWhole: boolean;
}

interface ArchivedRecords {
  readonly cursorSeq: number;
  /** Fields by ref, values as latin1 text. */
  readonly records: Map<string, Map<string, string>>;
}

const PAGE_ENTRIES = 256;
const ARCHIVED_ELSEWHERE = new Set(['issued', 'received']);

/**
 * Compares every promotion's record three ways (I6). Claims go on meanwhile, so each side is compared with the fold at its
 * own point: Postgres at the cursor its rows were read with, Redis at any entry between two looks at the stream's end.
 */
export async function comparePromotions(comparison: PromotionComparison): Promise<void> {
  const { sql, id, fold, foldSeq, check } = comparison;
  const archived = await readArchived(sql, id);
  for await (const entry of walkLog(sql, id, foldSeq, archived.cursorSeq)) {
    if (entry.kind === 'read') fold.add(entry.seq, entry.entry);
  }
  if (!comparison.isWhole)
    fold.judgeRest((ref) => archived.records.get(ref)?.get(PROMOTION_FIELDS.received.name));
  const images = fold.result();
  check.count('promotions', images.size);
  compareArchived(check, archived.records, images, comparison.isWhole);
  await compareLive(comparison, archived.cursorSeq, comparison.isWhole ? images : archived.records);
}

/** One statement, so that cursor and rows belong together. */
async function readArchived(sql: Sql, { generation, partition }: PartitionId): Promise<ArchivedRecords> {
  const rows = await sql<{ seq: string; ref: string | null; field: string; value: string | null }[]>`
    SELECT cursor.seq, record.ref, record.field, record.value FROM ledger_cursor AS cursor LEFT JOIN (
      SELECT promotion_ref::text AS ref, figure.field, figure.value
      FROM promotion_counter, LATERAL (VALUES ('issued', issued::text), ('received', received::text))
        AS figure (field, value)
      WHERE generation = ${generation} AND partition = ${partition}
      UNION ALL
      SELECT id, encode(field, 'escape'), encode(value, 'hex') FROM ledger_field
      WHERE generation = ${generation} AND partition = ${partition} AND target = 'promotion' AND NOT retired
    ) AS record ON true
    WHERE cursor.generation = ${generation} AND cursor.partition = ${partition}`;
  const records = new Map<string, Map<string, string>>();
  for (const { ref, field, value } of rows) {
    if (ref === null) continue;
    const record = records.get(ref) ?? new Map<string, string>();
    records.set(ref, record.set(field, archivedText(field, value)));
  }
  return { cursorSeq: Number(rows[0]?.seq ?? -1), records };
}

function archivedText(field: string, value: string | null): string {
  if (ARCHIVED_ELSEWHERE.has(field)) return value ?? '';
  return Buffer.from(value ?? '', 'hex').toString('latin1');
}

function compareArchived(
  check: Check,
  records: ArchivedRecords['records'],
  images: PromotionImages,
  isWhole: boolean,
): void {
  for (const [ref, image] of images) {
    for (const [field, value] of image) {
      const seen = records.get(ref)?.get(field);
      check.require(
        seen === value,
        () => `Postgres has ${told(seen)} for ${field} of promotion ${ref}, the events ${told(value)}`,
      );
    }
  }
  for (const ref of isWhole ? records.keys() : []) {
    check.require(images.has(ref), () => `Postgres has a record of promotion ${ref}, which no event wrote`);
  }
}

/** Every Redis value must be one the record had between two looks at the end of the stream. */
async function compareLive(
  comparison: PromotionComparison,
  cursorSeq: number,
  images: PromotionImages,
): Promise<void> {
  const { ledger, check } = comparison;
  const before = (await ledger.lastSeq()) ?? -1;
  const live = new Map<string, Map<string, Buffer>>();
  for (const ref of images.keys()) live.set(ref, await ledger.readPromotionFields(Number(ref)));
  const after = (await ledger.lastSeq()) ?? -1;
  check.require(before >= cursorSeq, () => `Redis ends at entry ${before}, the archive at ${cursorSeq}`);
  const possible = await possibleValues(ledger, images, cursorSeq, { before, after });
  for (const [ref, fields] of live) {
    for (const [field, values] of possible.get(ref) ?? []) {
      const seen = fields.get(field)?.toString('latin1');
      const holds = seen !== undefined && values.has(seen);
      check.require(
        holds,
        () =>
          `Redis has ${told(seen)} for ${field} of promotion ${ref}, the events ${told([...values].at(-1))}`,
      );
    }
    for (const field of fields.keys()) {
      const isKnown = possible.get(ref)?.has(field) === true;
      check.require(isKnown, () => `Redis has field ${field} of promotion ${ref}, which no event wrote`);
    }
  }
}

type PossibleValues = Map<string, Map<string, Set<string>>>;

async function possibleValues(
  ledger: LedgerAdmin,
  images: PromotionImages,
  cursorSeq: number,
  { before, after }: { readonly before: number; readonly after: number },
): Promise<PossibleValues> {
  const possible: PossibleValues = new Map();
  for (const [ref, image] of images) {
    possible.set(ref, new Map([...image].map(([field, value]) => [field, new Set([value])])));
  }
  for (let last = cursorSeq; last < after; ) {
    const entries = await ledger.readEntries(last, PAGE_ENTRIES);
    for (const entry of entries) if (entry.seq <= after) addValues(possible, entry, entry.seq <= before);
    last = entries.at(-1)?.seq ?? after;
  }
  return possible;
}

/** Up to the first look an entry's values replace the earlier ones; after it, either may be seen. */
function addValues(possible: PossibleValues, { seq, payload }: StreamEntry, replaces: boolean): void {
  for (const event of decodeEntry(payload).events) {
    for (const write of event.writes) {
      if (write.target !== 'promotion') continue;
      const record = possible.get(write.id) ?? new Map<string, Set<string>>();
      possible.set(write.id, record);
      for (const { field, value } of write.fields) {
        const name = field.toString('latin1');
        const earlier = replaces ? [] : (record.get(name) ?? []);
        const applied = appliedValue(field, value, seq)?.toString('latin1');
        record.set(name, new Set([...earlier, ...(applied === undefined ? [] : [applied])]));
      }
    }
  }
}

const PLAIN = /^[\x20-\x7e]{1,20}$/;

/** A value for a person: figures as they are, bytes in hex. */
function told(value: string | undefined): string {
  if (value === undefined) return 'nothing';
  return PLAIN.test(value) ? value : `0x${Buffer.from(value, 'latin1').toString('hex').slice(0, 40)}`;
}
