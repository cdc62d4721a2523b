import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { isProcessRunning } from './running-process.ts';
import { ServerProcess, ServerStartError } from './server-process.ts';

/** How often a port that was free a moment ago may turn out to be taken. */
const PORT_ATTEMPTS = 5;
/** How long a predecessor that was told to stop may still use the folder. */
const PREDECESSOR_WAIT_MS = 10_000;
const PREDECESSOR_POLL_MS = 100;

/** Which redis-server to start; every field has a default that suits a test. */
export interface RedisServerOptions {
  /** Where its files live; absent = a new temporary folder that `stop` removes. */
  readonly directory?: string;
  /** Absent = any free port. */
  readonly port?: number;
  /** When the append-only file reaches the disk; default `always`, the only setting that may be called durable. */
  readonly appendFsync?: 'always' | 'everysec' | 'no';
  /** `false` = no append-only file at all: a restart comes back empty. Default `true`. */
  readonly persistent?: boolean;
  /** Further settings, by their name in redis.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Variables of the process beside those of this one. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Called when the server ends without `stop`, `kill` or `restart`; the text holds the end of its output. */
  readonly onUnexpectedExit?: (message: string) => void;
}

/** A running redis-server of 127.0.0.1. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Process id; another one after `restart`. */
  readonly pid: number;
  /** Orderly end; removes the temporary folder. Safe to call twice. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would; the files stay for `restart`. */
  kill(): Promise<void>;
  /** Starts it again on the same port and files, after an orderly stop when it still runs. */
  restart(): Promise<void>;
}

/** Starts a real redis-server (it must be on PATH) and resolves once it accepts connections. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'hongbao-redis-')));
  await mkdir(directory, { recursive: true });
  const { port, server } = await startOnSomePort(options, directory);
  let running: ServerProcess | undefined = server;
  let pid = server.pid;
  const end = async (how: 'stop' | 'kill'): Promise<void> => {
    const ending = running;
    running = undefined;
    await ending?.[how]();
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return pid;
    },
    async stop() {
      await end('stop');
      if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    },
    kill: () => end('kill'),
    async restart() {
      await end('stop');
      running = await launch(options, directory, port);
      pid = running.pid;
    },
  };
}

async function startOnSomePort(
  options: RedisServerOptions,
  directory: string,
): Promise<{ port: number; server: ServerProcess }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    try {
      return { port, server: await launch(options, directory, port) };
    } catch (error) {
      const portTaken = error instanceof ServerStartError && error.output.includes('Address already in use');
      if (!portTaken || options.port !== undefined || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function launch(options: RedisServerOptions, directory: string, port: number): Promise<ServerProcess> {
  const pidFile = join(directory, 'redis.pid');
  await awaitEndOfPredecessor(pidFile, directory);
  const settings: Record<string, string> = {
    port: String(port),
    bind: '127.0.0.1',
    dir: directory,
    pidfile: pidFile,
    save: '',
    appendonly: options.persistent === false ? 'no' : 'yes',
    appendfsync: options.appendFsync ?? 'always',
    'maxmemory-policy': 'noeviction',
    // A master waits 5 s for more replicas before it serves the first; here there is one.
    'repl-diskless-sync-delay': '0',
    ...options.settings,
  };
  return ServerProcess.start({
    name: 'redis-server',
    command: 'redis-server',
    arguments: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    directory,
    readyText: 'Ready to accept connections',
    stopSignal: 'SIGTERM',
    ...(options.environment && { environment: options.environment }),
    ...(options.directory === undefined && { temporaryFolder: directory }),
    ...(options.onUnexpectedExit && { onUnexpectedExit: options.onUnexpectedExit }),
  });
}

/** Redis does not lock its folder, and two servers appending to one file would ruin it. */
async function awaitEndOfPredecessor(pidFile: string, directory: string): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  for (let waitedMs = 0; await isProcessRunning(pid, 'redis-server'); waitedMs += PREDECESSOR_POLL_MS) {
    if (waitedMs >= PREDECESSOR_WAIT_MS) {
      throw new Error(`Another redis-server (process ${pid}) still uses ${directory}.`);
    }
    await sleep(PREDECESSOR_POLL_MS);
  }
}
