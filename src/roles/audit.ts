/** `audit`: checks the invariants on a live system and prints each with its figures. `--json` prints one JSON document. */
import { formatReport } from '../archive/audit/audit-report.ts';
import { runAudit } from '../archive/audit.ts';
import { joinGeneration } from '../archive/generation.ts';
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
    const { generation } = await joinGeneration(sql, partitions);
    const reports = [];
    for (const id of new ArchivePlaces(generation, partitions).all) {
      const ledger = new LedgerAdmin(connections.of(id.partition), generation, id.partition, partitions);
      reports.push(await runAudit({ sql, ledger, id }));
    }
    const texts = args.includes('--json') ? [JSON.stringify(reports, null, 2)] : reports.map(formatReport);
    process.stdout.write(`${texts.join('\n')}\n`);
    return reports.every((report) => report.holds) ? 0 : 1;
  } finally {
    connections.close();
    await sql.end({ timeout: 1 });
  }
}
