/** Starts everything a run needs: stores behind proxies, then the product's processes. */
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { migrate } from '../../../src/database/migrate.ts';
import { freePorts } from '../../../tools/servers/free-port.ts';
import { startPostgresServer } from '../../../tools/servers/postgres-server.ts';
import { FaultProxy } from '../proxy/fault-proxy.ts';
import { buildClockLibrary, ClockFile } from './clock.ts';
import { startCluster } from './cluster.ts';
import { type Machine, mountSmallDisk, unmount } from './machine.ts';
import { type Environment, ProductProcess } from './product-process.ts';
import type { RedisTopology, TopologyName } from './redis-topology.ts';
import { startReplica } from './replica.ts';
import { startSingle } from './single.ts';
import type { PostgresSide, World } from './world.ts';

const DATABASE = 'hongbao';
/** What a process listens on, and how many processes there are. */
const SERVERS = ['GRPC', 'HTTP', 'OPS'] as const;
const PORTS_PER_PROCESS = SERVERS.length;
const SERVES = 3;
const ARCHIVES = 2;
/** Room for the files of an empty cluster and of a short run, and little more. */
const SMALL_REDIS_MEGABYTES = 64;
const SMALL_POSTGRES_MEGABYTES = 320;

/** How to start a world. */
export interface WorldOptions {
  readonly topology: TopologyName;
  readonly machine: Machine;
  /** An empty folder for everything. */
  readonly directory: string;
  /** 0 ≤ x < 1, from the seed. */
  readonly random: () => number;
  /** Whether the stores live on file systems of a few megabytes. */
  readonly smallDisks: boolean;
  /** Where the processes of the product write their logs. */
  readonly logDirectory: string;
  /** Variables of the product beside the usual ones. */
  readonly environment: Environment;
  readonly signal: AbortSignal;
  /** Everything that was started is put here, and ended by it in the right order. */
  readonly stack: AsyncDisposableStack;
  readonly say: (line: string) => void;
  /** Called when a process of the product ends by itself. */
  readonly onUnexpectedExit: (message: string) => void;
}

/** Starts stores, brings the schema up to date, starts two `serve` and two `archive`; resolves when all are ready. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { machine, directory, stack, signal, say } = options;
  await chmod(directory, 0o755);
  const [clocks, folders] = await Promise.all([makeClocks(options), makeFolders(options)]);
  const [redis, postgresSide] = await Promise.all([
    startRedis(options, folders.redis, clocks?.redis.environment).then((started) => {
      stack.defer(() => started.close());
      return started;
    }),
    startPostgres(options, folders.postgres),
  ]);
  await migrate(postgresSide.server.url(DATABASE));
  const direct = { ...usualEnvironment(options), ...redis.environment };
  const directEnvironment = {
    ...direct,
    DATABASE_URL: postgresSide.server.url(DATABASE),
    REDIS_URL: redis.url,
  };
  const environment = { ...directEnvironment, DATABASE_URL: throughProxy(postgresSide) };
  const product = { ...environment, ...clocks?.product.environment };
  const ports = await freePorts(PORTS_PER_PROCESS * (SERVES + ARCHIVES));
  const serves = makeProcesses(options, 'serve', ports.slice(0, PORTS_PER_PROCESS * SERVES), product);
  const archives = makeProcesses(options, 'archive', ports.slice(PORTS_PER_PROCESS * SERVES), product);
  await Promise.all([...serves.slice(0, 2), ...archives].map((process) => process.start()));
  return {
    machine,
    redis,
    postgres: postgresSide,
    serves,
    archives,
    clocks,
    environment,
    directEnvironment,
    signal,
    directory,
    say,
  };
}

function throughProxy({ server, proxy }: PostgresSide): string {
  return server.url(DATABASE).replace(`:${server.port}/`, `:${proxy.port}/`);
}

function usualEnvironment({ environment }: WorldOptions): Environment {
  return {
    HONGBAO_AUTH: 'off',
    HONGBAO_DEVELOPMENT: 'embedded',
    HONGBAO_DRAIN_READINESS_DELAY_MS: '0',
    HONGBAO_DRAIN_GRACE_MS: '5000',
    HONGBAO_ARCHIVE_LEASE_MS: '1000',
    HONGBAO_JOBS_LEASE_MS: '1000',
    HONGBAO_DATABASE_STATEMENT_TIMEOUT_MS: '5000',
    ...environment,
  };
}

async function makeClocks({ machine, directory }: WorldOptions): Promise<World['clocks']> {
  if (machine.noMovableClocks !== undefined) return undefined;
  const library = await buildClockLibrary(directory);
  return {
    redis: new ClockFile(library, join(directory, 'clock-redis')),
    product: new ClockFile(library, join(directory, 'clock-product')),
  };
}

async function makeFolders({
  directory,
  smallDisks,
  stack,
}: WorldOptions): Promise<{ redis: string; postgres: string }> {
  const folders = { redis: join(directory, 'redis'), postgres: join(directory, 'postgres') };
  const megabytes = { redis: SMALL_REDIS_MEGABYTES, postgres: SMALL_POSTGRES_MEGABYTES };
  for (const store of ['redis', 'postgres'] as const) {
    await mkdir(folders[store], { recursive: true });
    await chmod(folders[store], 0o755);
    if (!smallDisks) continue;
    await mountSmallDisk(folders[store], megabytes[store]);
    stack.defer(() => unmount(folders[store]));
  }
  return folders;
}

function startRedis(
  { topology, random }: WorldOptions,
  directory: string,
  environment: Environment | undefined,
): Promise<RedisTopology> {
  const options = { directory, random, ...(environment && { environment }) };
  if (topology === 'single') return startSingle(options);
  return topology === 'replica' ? startReplica(options) : startCluster(options);
}

async function startPostgres({ random, stack }: WorldOptions, directory: string): Promise<PostgresSide> {
  const data = join(directory, 'data');
  const server = await startPostgresServer({ directory: data, fsync: true });
  stack.defer(() => server.stop());
  await server.createDatabase(DATABASE);
  const proxy = await FaultProxy.start({ targetPort: server.port, random });
  stack.defer(() => proxy.close());
  const admin = postgres(server.url(DATABASE), {
    max: 4,
    onnotice: () => undefined,
    connection: { application_name: 'chaos-admin' },
  });
  stack.defer(() => admin.end({ timeout: 1 }));
  return { server, proxy, admin, directory: data };
}

/** One for each of so many ports. */
function makeProcesses(
  { logDirectory, stack, onUnexpectedExit }: WorldOptions,
  role: 'serve' | 'archive',
  ports: readonly number[],
  environment: Environment,
): ProductProcess[] {
  const processes: ProductProcess[] = [];
  for (let first = 0; first < ports.length; first += PORTS_PER_PROCESS) {
    const name = `${role}-${processes.length + 1}`;
    const own = SERVERS.map((server, index) => [`HONGBAO_${server}_PORT`, String(ports[first + index])]);
    const logFile = join(logDirectory, `${name}.log`);
    const process = new ProductProcess({
      name,
      role,
      environment: { ...environment, ...Object.fromEntries(own) },
      logFile,
      onUnexpectedExit,
    });
    stack.defer(async () => void (await process.end('SIGKILL')));
    processes.push(process);
  }
  return processes;
}
