/** `npm start` as a newcomer runs it, on ports and in a data folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../tools/servers/free-port.ts';

const PORT_VARIABLES = [
  'HONGBAO_GRPC_PORT',
  'HONGBAO_HTTP_PORT',
  'HONGBAO_OPS_PORT',
  'START_ARCHIVE_OPS_PORT',
  'START_POSTGRES_PORT',
  'START_REDIS_PORT',
];

/** A folder for the data, free ports, and every run that was started on them. */
export class StartFixture {
  readonly ports: ReadonlyMap<string, number>;
  private readonly dataDirectory: string;
  private readonly started: ChildProcess[] = [];

  private constructor(dataDirectory: string, ports: ReadonlyMap<string, number>) {
    this.dataDirectory = dataDirectory;
    this.ports = ports;
  }

  /** Nothing runs yet. */
  static async create(): Promise<StartFixture> {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'hongbao-start-'));
    // Root's Postgres runs as another account, which has to get in.
    await chmod(dataDirectory, 0o755);
    const entries = PORT_VARIABLES.map(async (name) => [name, await freePort()] as const);
    return new StartFixture(dataDirectory, new Map(await Promise.all(entries)));
  }

  /** Resolves once everything is up; rejects with all that was printed when it ends before. */
  async start(): Promise<{ child: ChildProcess; printed: string }> {
    const { DATABASE_URL, REDIS_URL, ...environment } = process.env;
    const own = {
      ...environment,
      ...Object.fromEntries(this.ports),
      START_DATA_DIRECTORY: this.dataDirectory,
    };
    const child = spawn('node', ['tools/start.ts'], {
      env: Object.fromEntries(Object.entries(own).map(([name, value]) => [name, String(value)])),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.started.push(child);
    let printed = '';
    await new Promise<void>((resolve, reject) => {
      child.once('close', () => reject(new Error(printed)));
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk) => {
          printed += String(chunk);
          if (printed.includes('Ctrl-C stops everything')) resolve();
        });
      }
    });
    return { child, printed };
  }

  /** What a document says to paste, sent to the ports of this run in place of the usual ones. */
  toOwnPorts(script: string): string {
    const usual = {
      HONGBAO_HTTP_PORT: 8080,
      HONGBAO_GRPC_PORT: 50051,
      START_POSTGRES_PORT: 54329,
      START_REDIS_PORT: 63799,
    };
    return Object.entries(usual).reduce(
      (text, [name, port]) => text.replaceAll(`:${port}`, `:${this.ports.get(name)}`),
      script,
    );
  }

  /** Ends what still runs, and removes the data. */
  async dispose(): Promise<void> {
    await Promise.all(this.started.splice(0).map((child) => end(child, 'SIGTERM')));
    await rm(this.dataDirectory, { recursive: true, force: true });
  }
}

/** Resolves with the exit code, null after a kill, once the process is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const gone = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.kill(signal);
  return gone;
}
