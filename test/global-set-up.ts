import type { TestProject } from 'vitest/node';
import { migrate } from '../src/database/migrate.ts';
import { startPostgresServer } from '../tools/servers/postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the maintenance database of this run's own Postgres. */
    postgresUrl: string;
    /** Name of a migrated database that a test's own one is copied from; nobody connects to it. */
    postgresTemplate: string;
  }
}

/** Starts one real Postgres for the whole run and ends it afterwards; a test file makes its own database in it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const template = 'migrated';
  const server = await startPostgresServer();
  try {
    await migrate(await server.createDatabase(template));
  } catch (error) {
    await server.stop();
    throw error;
  }
  project.provide('postgresUrl', server.url());
  project.provide('postgresTemplate', template);
  return () => server.stop();
}
