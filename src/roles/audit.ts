/** `audit`: checks the invariants on a live system and prints each with its figures. `--json` prints one JSON document. */
import { formatReport } from '../archive/audit/audit-report.ts';
import { runAudit } from '../archive/audit.ts';
import type { Config } from '../config/config.ts';
import { createDatabase } from '../database/client.ts';
import { LedgerAdmin } from '../ledger/admin.ts';
import { awaitReady, connectLedger } from '../ledger/connection.ts';
import { GENERATION, ledgerConnection } from '../ledger-settings.ts';

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
  const redis = connectLedger(ledgerConnection(config), 'hongbao-audit');
  redis.on('error', () => undefined);
  try {
    if (!(await awaitReady(redis, CONNECT_MS))) throw new Error(`Redis does not answer at ${CONNECT_MS} ms`);
    const partitions = Array.from({ length: 1 }, (_, partition) => partition);
    const reports = [];
    for (const partition of partitions) {
      const id = { generation: GENERATION, partition };
      reports.push(await runAudit({ sql, ledger: new LedgerAdmin(redis, GENERATION, partition), id }));
    }
    const texts = args.includes('--json') ? [JSON.stringify(reports, null, 2)] : reports.map(formatReport);
    process.stdout.write(`${texts.join('\n')}\n`);
    return reports.every((report) => report.holds) ? 0 : 1;
  } finally {
    redis.disconnect();
    await sql.end({ timeout: 1 });
  }
}
