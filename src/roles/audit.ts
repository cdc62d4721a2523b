/** `audit`: checks the invariants on a live system and prints each with its figures. `--json` prints one JSON document. */
import { type AuditReport, formatReport } from '../archive/audit/audit-report.ts';
import type { CheckResult } from '../archive/audit/check.ts';
import { checkLeases } from '../archive/audit/check-leases.ts';
import { checkStaffLog } from '../archive/audit/check-staff-log.ts';
import { runAudit } from '../archive/audit.ts';
import { checkGeneration } from '../archive/generation.ts';
import { ArchivePlaces } from '../archive/places.ts';
import type { Config } from '../config/config.ts';
import { createDatabase } from '../database/client.ts';
import { LedgerAdmin } from '../ledger/admin.ts';
import { PartitionConnections } from '../ledger/partition-connection.ts';
import { ledgerConnection } from '../ledger-settings.ts';

/** Time for Redis to answer at the start, and for one statement over the whole archive, in milliseconds. */
const CONNECT_MS = 5_000;
const STATEMENT_MS = 600_000;

/** Exit code 0 when every invariant holds, 1 on any breach; throws when a store cannot be read. */
export async function audit(config: Config, args: readonly string[]): Promise<number> {
  const { url, connectTimeoutMs } = config.database;
  const sql = createDatabase(url, {
    applicationName: 'hongbao-audit',
    maxConnections: 2,
    statementTimeoutMs: STATEMENT_MS,
    connectTimeoutMs,
  });
  const connections = new PartitionConnections(ledgerConnection(config), 'hongbao-audit', () => undefined);
  try {
    if (!(await connections.start(CONNECT_MS))) throw new Error(`Redis does not answer at ${CONNECT_MS} ms`);
    const { partitions } = config.ledger;
    const { generation } = await checkGeneration(sql, partitions);
    const parts = new ArchivePlaces(generation, partitions).all.map((id) => ({
      id,
      ledger: new LedgerAdmin(connections.of(id.partition), generation, id.partition, partitions),
    }));
    const reports: AuditReport[] = [];
    for (const { id, ledger } of parts) reports.push(await runAudit({ sql, ledger, id }));
    const leases = partitions > 1 ? [await checkLeases(parts.map(({ ledger }) => ledger))] : [];
    addShared(reports, [...leases, await checkStaffLog(sql)]);
    const texts = args.includes('--json') ? [JSON.stringify(reports, null, 2)] : reports.map(formatReport);
    process.stdout.write(`${texts.join('\n')}\n`);
    return reports.every((report) => report.holds) ? 0 : 1;
  } finally {
    connections.close();
    await sql.end({ timeout: 1 });
  }
}

/** What is about no partition alone is told in the report of the last one. */
function addShared(reports: AuditReport[], checks: readonly CheckResult[]): void {
  const last = reports.pop();
  if (last === undefined) return;
  const holds = last.holds && checks.every(({ breachCount }) => breachCount === 0);
  reports.push({ ...last, checks: [...last.checks, ...checks], holds });
}
