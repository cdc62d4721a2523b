import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrate } from '../src/database/migrate.ts';
import { startPostgresServer } from '../tools/servers/postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the maintenance database of this run's own Postgres. */
    postgresUrl: string;
    /** Name of a migrated database that a test's own one is copied from; nobody connects to it. */
    postgresTemplate: string;
    /** Files of a Postgres that has this database, for servers of a test's own. */
    postgresFiles: string;
  }
}

/**
 * Starts one real Postgres for the whole run and ends it afterwards; a test file makes its own database in it. Whatever the run
 * writes to temporary folders lies in one, which goes with it.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'hongbao-test-'));
  process.env['TMPDIR'] = folder;
  // Hundreds of processes read the same sources: compiled once, they start in half of the time.
  process.env['NODE_COMPILE_CACHE'] ??= join(folder, 'compile-cache');
  // Processes that end at this moment may still write to it.
  const removeFolder = () => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  const template = 'migrated';
  const files = join(folder, 'postgres-files');
  const server = await startPostgresServer();
  try {
    await migrate(await server.createDatabase(template));
    await server.saveFiles(files);
  } catch (error) {
    await server.stop();
    await removeFolder();
    throw error;
  }
  project.provide('postgresUrl', server.url());
  project.provide('postgresTemplate', template);
  project.provide('postgresFiles', files);
  return async () => {
    await server.stop();
    await removeFolder();
  };
}
