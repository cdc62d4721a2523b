import { plainArray } from '../../database/array-literal.ts';
import { type Sql, withDeadline } from '../../database/client.ts';
import type { ArchiveProgress } from '../definition-ledger.ts';

/** The archive's progress as its own tables tell it, read only. The newest generation of the stream counts. */
export function archiveProgress(sql: Sql): ArchiveProgress {
  return {
    async readCursors(deadlineMs) {
      const rows = await withDeadline(
        sql<{ partition: number; seq: string }[]>`
          select partition, seq from ledger_cursor
          where generation = (select max(generation) from ledger_cursor) order by partition`,
        deadlineMs,
      );
      const seqs: number[] = [];
      for (const { partition, seq } of rows) seqs[partition] = Number(seq);
      return Array.from(seqs, (seq) => seq ?? -1);
    },
    async readIssued(refs, deadlineMs) {
      const rows = await withDeadline(
        sql<{ promotion_ref: number; issued: string }[]>`
          select promotion_ref, sum(issued) as issued
          from (
            select distinct on (promotion_ref, partition) promotion_ref, issued
            from promotion_counter
            where promotion_ref = any(${plainArray(refs)}::integer[])
            order by promotion_ref, partition, generation desc
          ) newest
          group by promotion_ref`,
        deadlineMs,
      );
      return new Map(rows.map(({ promotion_ref, issued }) => [promotion_ref, Number(issued)]));
    },
  };
}
