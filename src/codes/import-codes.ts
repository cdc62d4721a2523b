/**
 * Codes made elsewhere. One statement keeps those that nobody has yet, all or none of them. What became of each line is then
 * read from the rows, so a repeated call finds the same answer without anybody having written it down.
 */
import type { Sql } from '../database/client.ts';
import type { WriteIdentity } from '../definitions/store/request-records.ts';
import { MS_PER_DAY } from '../domain/durations.ts';
import { invalidRequest } from '../domain/invalid-request.ts';
import { jobNotFound } from './code-refusals.ts';
import type { CodeSecrets } from './code-secrets.ts';
import { hasCodeLetters, normaliseCode } from './code-text.ts';
import { type CsvRow, parseCsv } from './csv.ts';
import type { StaffCall } from './generate-codes.ts';
import { FAULTS_SHOWN, IMPORTED_CODE_LETTERS } from './limits.ts';
import { requireSingleUse } from './require-single-use.ts';
import { type CodeJobRow, type CodeWrite, insertImport, jobOfWrite } from './store/code-jobs.ts';
import { type CodeOwner, readOwners } from './store/code-row.ts';

/** What is wrong with a line. */
export type CodeFaultKind = 'malformed' | 'repeated' | 'already_known' | 'taken';

/** A line that was not taken. */
export interface CodeLineFault {
  readonly line: number;
  readonly kind: CodeFaultKind;
}

/** What an import did. */
export interface ImportAnswer {
  readonly imported: number;
  readonly faulty: number;
  /** The first of them, in order. */
  readonly faults: readonly CodeLineFault[];
  readonly replayed: boolean;
}

/** What imports work with. */
export interface ImportPorts {
  readonly sql: Sql;
  readonly secrets: CodeSecrets;
  /** Days of 24 hours for which codes can be exported. */
  readonly exportDays: number;
}

/** An import as the caller states it. */
export interface ImportRequest {
  readonly identity: WriteIdentity;
  readonly promotionId: string;
  readonly csv: Uint8Array;
  readonly reason: string;
}

interface ReadLine {
  readonly line: number;
  readonly code: string;
  readonly hash: Buffer;
}

/**
 * Keeps the codes of a file. Throws INVALID_REQUEST, PROMOTION_NOT_FOUND, PROMOTION_WITHOUT_CODES, REQUEST_ID_REUSED or
 * ARCHIVE_UNAVAILABLE.
 */
export async function importCodes(
  ports: ImportPorts,
  request: ImportRequest,
  call: StaffCall,
): Promise<ImportAnswer> {
  const { sql, secrets, exportDays } = ports;
  const { ref } = await requireSingleUse(sql, request.promotionId, call.deadlineMs);
  const { lines, faults } = readLines(request.csv, secrets);
  const write = { ...call, identity: request.identity, reason: request.reason, promotionRef: ref };
  const earlier = await jobOfWrite(sql, 'i', write);
  const replayed = earlier !== undefined || !(await keep(ports, write, lines, exportDays * MS_PER_DAY));
  const job = earlier ?? (await jobOfWrite(sql, 'i', write));
  if (job === undefined) throw jobNotFound();
  const owners = await readOwners(
    sql,
    lines.map(({ hash }) => hash),
    call.deadlineMs,
  );
  const refused = lines.flatMap((line) => faultOf(line, job, ref, owners));
  const all = [...faults, ...refused].sort((left, right) => left.line - right.line);
  return {
    imported: lines.length - refused.length,
    faulty: all.length,
    faults: all.slice(0, FAULTS_SHOWN),
    replayed,
  };
}

async function keep(
  { sql, secrets }: ImportPorts,
  write: CodeWrite,
  lines: readonly ReadLine[],
  exportMs: number,
): Promise<boolean> {
  const codes = lines.map(({ code, hash }) => ({ hash, cipher: secrets.seal(code, hash) }));
  return (await insertImport(sql, write, codes, write.nowMs + exportMs)) === 'imported';
}

/** The codes of a file, each once, and the lines that hold none or an earlier one again. */
function readLines(csv: Uint8Array, secrets: CodeSecrets): { lines: ReadLine[]; faults: CodeLineFault[] } {
  const rows = rowsOf(csv);
  const header = rows[0]?.cells.findIndex((name) => name.trim().toLowerCase() === 'code') ?? -1;
  const column = Math.max(0, header);
  const lines: ReadLine[] = [];
  const faults: CodeLineFault[] = [];
  const seen = new Set<string>();
  for (const { line, cells } of header === -1 ? rows : rows.slice(1)) {
    const typed = cells[column]?.trim() ?? '';
    const code = normaliseCode(typed);
    if (!isImportable(code)) faults.push({ line, kind: 'malformed' });
    else if (seen.has(code)) faults.push({ line, kind: 'repeated' });
    else lines.push({ line, code: typed.toUpperCase(), hash: secrets.digest(code) });
    seen.add(code);
  }
  return { lines, faults };
}

function rowsOf(csv: Uint8Array): readonly CsvRow[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(csv);
  } catch {
    throw invalidRequest([{ field: 'csv', description: 'is not UTF-8' }]);
  }
  const rows = parseCsv(text);
  if (rows === undefined)
    throw invalidRequest([{ field: 'csv', description: 'has quotes that do not fit together' }]);
  return rows;
}

function isImportable(code: string): boolean {
  const { min, max } = IMPORTED_CODE_LETTERS;
  return hasCodeLetters(code) && code.length >= min && code.length <= max;
}

function faultOf(
  { line, hash }: ReadLine,
  job: CodeJobRow,
  ref: number,
  owners: ReadonlyMap<string, CodeOwner>,
): CodeLineFault[] {
  const owner = owners.get(hash.toString('hex'));
  if (owner?.job === job.number) return [];
  return [{ line, kind: owner?.promotion_ref === ref ? 'already_known' : 'taken' }];
}
