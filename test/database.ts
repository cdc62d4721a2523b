import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import postgres from 'postgres';
import { inject } from 'vitest';

/** A database of one test file alone, with the schema of this release. */
export interface TestDatabase {
  readonly url: string;
  /** Removes it, breaking whatever connections are left. */
  drop(): Promise<void>;
}

/** Makes a migrated database with a name of its own in the Postgres of this run. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer((sql) => sql`create database ${sql(name)}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  await migrateDatabase(url.href);
  return {
    url: url.href,
    drop: () => administer((sql) => sql`drop database if exists ${sql(name)} with (force)`),
  };
}

async function migrateDatabase(url: string): Promise<void> {
  const module = new URL('../src/database/migrate.ts', import.meta.url);
  if (!existsSync(module)) return;
  const { migrate } = await import(module.href);
  await migrate(url);
}

async function administer(statement: (sql: postgres.Sql) => PromiseLike<unknown>): Promise<void> {
  const sql = postgres(inject('postgresUrl'), { max: 1, onnotice: () => {} });
  try {
    await statement(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
