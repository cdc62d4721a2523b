/** Codes of a job as CSV, while their ciphertexts are kept. Every export is noted in the audit log before the first byte. */
import type { Sql } from '../database/client.ts';
import { withDeadline } from '../database/client.ts';
import { auditOfAct } from '../definitions/store/staff-audit.ts';
import { Refusal } from '../domain/refusal.ts';
import { jobNotFound } from './code-refusals.ts';
import type { CodeSecrets } from './code-secrets.ts';
import type { StaffCall } from './generate-codes.ts';
import { CODES_PER_EXPORT_STEP, JOB_STATEMENT_MS } from './limits.ts';
import { type CodeJobRow, readCodeJob } from './store/code-jobs.ts';
import { type ExportRow, readExportRows } from './store/code-row.ts';

/** What exports work with. */
export interface ExportPorts {
  readonly sql: Sql;
  readonly secrets: CodeSecrets;
  readonly nowMs: () => number;
}

const HEADER = 'code,state,user_id,used_at\r\n';

/**
 * The parts of the file, in order. Throws JOB_NOT_FOUND, CODE_BATCH_EXPORTED when only digests are left, or
 * ARCHIVE_UNAVAILABLE. The deadline of the call bounds its beginning; each step has a time of its own.
 */
export async function* exportCodes(
  ports: ExportPorts,
  jobId: string,
  call: StaffCall,
): AsyncGenerator<Uint8Array> {
  const { sql, nowMs } = ports;
  const job = await readCodeJob(sql, jobId, stepDeadline(ports, call));
  if (job === undefined) throw jobNotFound();
  requireExportable(job, nowMs());
  await noteExport(ports, job, call);
  yield Buffer.from(HEADER);
  let last: ExportRow | undefined;
  for (;;) {
    const rows = await readExportRows(
      sql,
      job.number,
      last,
      CODES_PER_EXPORT_STEP,
      stepDeadline(ports, call),
    );
    last = rows.at(-1);
    if (last === undefined) return;
    yield Buffer.from(rows.map((row) => csvLine(ports.secrets, row)).join(''));
  }
}

function stepDeadline({ nowMs }: ExportPorts, { deadlineMs }: StaffCall): number {
  return Math.min(deadlineMs, nowMs() + JOB_STATEMENT_MS);
}

function requireExportable({ purged, exportable_until: until }: CodeJobRow, nowMs: number): void {
  const isOver = purged || (until !== null && until.getTime() < nowMs);
  if (isOver) throw codesForgotten();
}

function codesForgotten(): Refusal {
  return new Refusal(
    'CODE_BATCH_EXPORTED',
    'The codes can no longer be exported; only their digests are kept',
  );
}

async function noteExport(ports: ExportPorts, job: CodeJobRow, call: StaffCall): Promise<void> {
  const act = {
    ref: job.promotion_ref,
    action: 'codes_exported' as const,
    actor: call.actor,
    reason: '',
    requestId: job.job_id,
    atMs: ports.nowMs(),
  };
  await withDeadline(
    ports.sql`with acted as (select 1) ${auditOfAct(ports.sql, act)}`,
    stepDeadline(ports, call),
  );
}

/** None of these values can hold a comma or a quote. A code held for an order counts as free until the order is paid. */
function csvLine(secrets: CodeSecrets, row: ExportRow): string {
  if (row.cipher === null) throw codesForgotten();
  const isUsed = row.state === 'used';
  const code = secrets.open(row.cipher, row.hash);
  const [userId, usedAt] = isUsed ? [row.user_id ?? '', row.used_at?.toISOString() ?? ''] : ['', ''];
  return `${code},${isUsed ? 'used' : 'free'},${userId},${usedAt}\r\n`;
}
