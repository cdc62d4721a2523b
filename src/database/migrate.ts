import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { resolveBinary } from 'dbmate';
import postgres from 'postgres';

const run = promisify(execFile);

/** Advisory lock number of migrations: "hongbao" has one, whatever the database is called. */
const MIGRATION_LOCK = 4_201_888;
/** A long migration holds the lock; a second process waits this long before it gives up. */
const LOCK_WAIT_MS = 10 * 60_000;

/** The folder with the migration files, in dbmate's up/down format. */
export const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('./migrations', import.meta.url));

/**
 * Brings the schema of the database at `url` up to date; does nothing when it is already.
 *
 * dbmate takes no lock of its own and of two at once one fails half way, so a session lock is held around it: any
 * number of processes may call this at the same moment. Needs a direct connection (not a transaction pooler).
 * Throws when Postgres cannot be reached or a migration fails; the message is dbmate's.
 */
export async function migrate(url: string): Promise<void> {
  const sql = postgres(url, {
    max: 1,
    max_lifetime: null,
    onnotice: () => {},
    connection: { application_name: 'hongbao migrate', lock_timeout: LOCK_WAIT_MS },
  });
  try {
    await sql`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await runDbmate(url);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function runDbmate(url: string): Promise<void> {
  const flags = ['--migrations-dir', MIGRATIONS_DIRECTORY, '--no-dump-schema', 'migrate'];
  await run(resolveBinary(), flags, { env: { DATABASE_URL: withSslMode(url) } });
}

/** dbmate insists on TLS unless told otherwise, the driver does not; both must read one address the same way. */
function withSslMode(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has('sslmode')) parsed.searchParams.set('sslmode', 'disable');
  return parsed.toString();
}
