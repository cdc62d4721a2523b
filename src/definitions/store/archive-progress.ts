import { plainArray } from '../../database/array-literal.ts';
import { type Sql, withDeadline } from '../../database/client.ts';
import type { ArchiveProgress } from '../definition-ledger.ts';

/** The archive's progress as its own tables tell it, read only. The newest generation of the stream counts. */
export function archiveProgress(sql: Sql): ArchiveProgress {
  return {
    async readCursor(partition, deadlineMs) {
      const [row] = await withDeadline(
        sql<{ seq: string }[]>`
          select seq from ledger_cursor where partition = ${partition} order by generation desc limit 1`,
        deadlineMs,
      );
      const seq = row === undefined ? -1 : Number(row.seq);
      return seq < 0 ? undefined : seq;
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
