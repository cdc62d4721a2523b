import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { freePort } from './free-port.ts';
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.ts';
import { preparePostgresFolder } from './postgres-data-folder.ts';
import { isProcessListed, isProcessRunning } from './running-process.ts';
import { ServerProcess, ServerStartError } from './server-process.ts';

const run = promisify(execFile);

/** The superuser of every cluster made here. It has no password: the server listens on 127.0.0.1 only. */
const SUPERUSER = 'hongbao';

/** How often a start is tried again, and how long to wait in between, while an older process still holds the folder. */
const START_ATTEMPTS = 40;
const START_RETRY_MS = 250;

/** Which Postgres to start; every field has a default that suits a test. */
export interface PostgresServerOptions {
  /** Where the cluster lives, made when empty; absent = a new temporary folder that `stop` removes. */
  readonly directory?: string;
  /** Absent = any free port. */
  readonly port?: number;
  /** What `saveFiles` of another server wrote: this one begins with a copy of it, which is sooner there than an empty cluster. */
  readonly copyOf?: string;
  /** Whether commits wait for the disk. Default `false`: a killed process loses nothing either way, a power cut would. */
  readonly fsync?: boolean;
  /** Called when the server ends without `stop`, `kill` or `restart`; the text holds the end of its output. */
  readonly onUnexpectedExit?: (message: string) => void;
}

/** A running Postgres of 127.0.0.1. */
export interface PostgresServer {
  readonly port: number;
  /** Process id of the postmaster; another one after `restart`. */
  readonly pid: number;
  /** Connection address of a database, by default of the maintenance database `postgres`. */
  url(database?: string): string;
  /** Creates a database, empty or as a copy of another, or leaves it as it is when it exists; answers with its address. */
  createDatabase(name: string, template?: string): Promise<string>;
  /** Ends it in an orderly way, copies its files into a new folder for `copyOf`, and starts it again. */
  saveFiles(folder: string): Promise<void>;
  /** Orderly end; removes the temporary folder. Safe to call twice. */
  stop(): Promise<void>;
  /** SIGKILL to the postmaster, as a crash would; its children follow, the files stay for `restart`. */
  kill(): Promise<void>;
  /** Starts it again on the same port and files, after an orderly stop when it still runs. */
  restart(): Promise<void>;
}

interface Cluster {
  readonly binaries: PostgresBinaries;
  readonly directory: string;
  readonly options: PostgresServerOptions;
}

/** Starts a real Postgres from npm's binaries and resolves once it accepts connections. Works for root too. */
export async function startPostgresServer(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const wanted = options.directory ?? (await mkdtemp(join(tmpdir(), 'hongbao-postgres-')));
  const cluster = await prepareCluster(wanted, options);
  const { port, server } = await startOnSomePort(cluster);
  let running: ServerProcess | undefined = server;
  let pid = server.pid;
  const end = async (how: 'stop' | 'kill'): Promise<void> => {
    const ending = running;
    running = undefined;
    await ending?.[how]();
  };
  const url = (database = 'postgres'): string =>
    `postgres://${SUPERUSER}@127.0.0.1:${port}/${database}?sslmode=disable`;
  return {
    port,
    get pid() {
      return pid;
    },
    url,
    createDatabase: (name, template) => createDatabase(url, name, template),
    async saveFiles(folder) {
      await end('stop');
      await copyFiles(cluster.directory, folder);
      running = await launch(cluster, port);
      pid = running.pid;
    },
    async stop() {
      await end('stop');
      if (options.directory === undefined) await removeFolder(wanted, cluster.directory);
    },
    kill: () => end('kill'),
    async restart() {
      await end('stop');
      running = await launch(cluster, port);
      pid = running.pid;
    },
  };
}

async function prepareCluster(wanted: string, options: PostgresServerOptions): Promise<Cluster> {
  const found = await postgresBinaries();
  const account = await preparePostgresFolder(wanted, found.account);
  const binaries: PostgresBinaries = account ? { ...found, account } : found;
  const directory = await realpath(wanted);
  const exists = await access(join(directory, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
  if (!exists && options.copyOf !== undefined) await copyFiles(options.copyOf, directory);
  else if (!exists) await initialise(binaries, directory);
  return { binaries, directory, options };
}

/** With owners and modes, about which Postgres is particular. */
async function copyFiles(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await run('cp', ['-a', `${from}/.`, to]);
}

async function initialise(binaries: PostgresBinaries, directory: string): Promise<void> {
  const flags = ['--auth=trust', `--username=${SUPERUSER}`, '--locale=C', '--encoding=UTF8', '--no-sync'];
  await run(binaries.initdb, [`--pgdata=${directory}`, ...flags], {
    cwd: directory,
    env: { ...process.env, LC_ALL: 'C' },
    ...binaries.account,
  });
}

async function startOnSomePort(cluster: Cluster): Promise<{ port: number; server: ServerProcess }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = cluster.options.port ?? (await freePort());
    try {
      return { port, server: await launch(cluster, port) };
    } catch (error) {
      const portTaken = error instanceof ServerStartError && error.output.includes('could not bind');
      if (!portTaken || cluster.options.port !== undefined || attempt === START_ATTEMPTS) throw error;
    }
  }
}

/** A crashed or still stopping predecessor holds the folder's lock for a moment; that, and only that, is waited for. */
async function launch(cluster: Cluster, port: number): Promise<ServerProcess> {
  await removeLockOfDeadProcess(cluster.directory);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startProcess(cluster, port);
    } catch (error) {
      const held =
        error instanceof ServerStartError && /postmaster\.pid|shared memory block/.test(error.output);
      if (!held || attempt === START_ATTEMPTS) throw error;
      await sleep(START_RETRY_MS);
    }
  }
}

/**
 * Postgres takes the lock file of a killed predecessor for a living one while its process id is still listed: in a
 * container whose first process collects no dead children, or when the id went to another program, that is for ever.
 * A process id that is not listed is left to Postgres, which then also looks for orphaned children.
 */
async function removeLockOfDeadProcess(directory: string): Promise<void> {
  const lockFile = join(directory, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(lockFile, 'utf8').catch(() => ''), 10);
  if (isProcessListed(pid) && !(await isProcessRunning(pid, 'postgres'))) await rm(lockFile, { force: true });
}

function startProcess({ binaries, directory, options }: Cluster, port: number): Promise<ServerProcess> {
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    timezone: 'UTC',
    fsync: options.fsync === true ? 'on' : 'off',
    logging_collector: 'off',
  };
  return ServerProcess.start({
    name: 'Postgres',
    command: binaries.postgres,
    arguments: [
      '-D',
      directory,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    directory,
    readyText: 'database system is ready to accept connections',
    stopSignal: 'SIGINT',
    ...(binaries.account && { account: binaries.account }),
    ...(options.directory === undefined && { temporaryFolder: directory }),
    ...(options.onUnexpectedExit && { onUnexpectedExit: options.onUnexpectedExit }),
  });
}

async function createDatabase(
  url: (database?: string) => string,
  name: string,
  template = 'template1',
): Promise<string> {
  const sql = postgres(url(), { max: 1, onnotice: () => {} });
  try {
    const known = await sql`select 1 from pg_database where datname = ${name}`;
    if (known.length === 0)
      await sql`create database ${sql(name)} template ${sql(template)} strategy file_copy`;
  } finally {
    await sql.end();
  }
  return url(name);
}

async function removeFolder(wanted: string, directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await rm(wanted, { recursive: true, force: true });
}
