/** A Postgres of one test alone, which it may stop, kill and give roles to. */
import { inject } from 'vitest';
import {
  type PostgresServer,
  type PostgresServerOptions,
  startPostgresServer,
} from '../tools/servers/postgres-server.ts';

/** Starts one; `createDatabase` makes empty databases in it. */
export async function startOwnPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  return await startPostgresServer({ copyOf: inject('postgresFiles'), ...options });
}

/** Makes a database with the schema of this release in it; answers with its address. */
export async function createMigrated(server: PostgresServer, name = 'hongbao'): Promise<string> {
  return await server.createDatabase(name, inject('postgresTemplate'));
}
