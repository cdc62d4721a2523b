import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';

/** A database of one test file alone, with the schema of this release. */
export interface TestDatabase {
  readonly url: string;
  /** Removes it, breaking whatever connections are left. */
  drop(): Promise<void>;
}

/** Makes a migrated database with a name of its own in the Postgres of this run, as a copy of one migrated once. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const template = inject('postgresTemplate');
  // Copying the files is a seventh of the work of writing every page to the log, the strategy by default.
  await administer((sql) => sql`create database ${sql(name)} template ${sql(template)} strategy file_copy`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => administer((sql) => sql`drop database if exists ${sql(name)} with (force)`),
  };
}

/** Runs one statement as the superuser on a connection of its own. */
async function administer(statement: (sql: postgres.Sql) => PromiseLike<unknown>): Promise<void> {
  const sql = postgres(inject('postgresUrl'), { max: 1, onnotice: () => {} });
  try {
    await statement(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
