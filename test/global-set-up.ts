import type { TestProject } from 'vitest/node';
import { startPostgresServer } from '../tools/servers/postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the maintenance database of this run's own Postgres. */
    postgresUrl: string;
  }
}

/** Starts one real Postgres for the whole run and ends it afterwards; a test file makes its own database in it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgresServer();
  project.provide('postgresUrl', server.url());
  return () => server.stop();
}
