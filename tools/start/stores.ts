import { join } from 'node:path';
import { startPostgresServer } from '../servers/postgres-server.ts';
import { startRedisServer } from '../servers/redis-server.ts';
import { portOrAnother } from './ports.ts';
import { DATA_DIRECTORY, type StartSettings } from './settings.ts';

/** Addresses of the two stores the service runs on. */
export interface StoreAddresses {
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

/**
 * The caller's own stores where the environment names them; otherwise an embedded Postgres and a local redis-server, both
 * fully durable, with their data in `.data/`. What is started here ends with the stack.
 */
export async function openStores(
  settings: StartSettings,
  stack: AsyncDisposableStack,
  onUnexpectedExit: (message: string) => void,
): Promise<StoreAddresses> {
  const databaseUrl = settings.databaseUrl ?? (await ownPostgres(settings, stack, onUnexpectedExit));
  const redisUrl = settings.redisUrl ?? (await ownRedis(settings, stack, onUnexpectedExit));
  return { databaseUrl, redisUrl };
}

async function ownPostgres(
  settings: StartSettings,
  stack: AsyncDisposableStack,
  onUnexpectedExit: (message: string) => void,
): Promise<string> {
  const server = await startPostgresServer({
    directory: join(DATA_DIRECTORY, 'postgres'),
    port: await portOrAnother(settings.postgresPort),
    fsync: true,
    onUnexpectedExit,
  });
  stack.defer(() => server.stop());
  return server.createDatabase('hongbao');
}

async function ownRedis(
  settings: StartSettings,
  stack: AsyncDisposableStack,
  onUnexpectedExit: (message: string) => void,
): Promise<string> {
  const server = await startRedisServer({
    directory: join(DATA_DIRECTORY, 'redis'),
    port: await portOrAnother(settings.redisPort),
    appendFsync: 'always',
    onUnexpectedExit,
  });
  stack.defer(() => server.stop());
  return server.url;
}
