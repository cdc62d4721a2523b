/**
 * The product as it runs in production, on this machine: its own Redis and Postgres, the archive role, and one or more serve
 * processes with authentication, validation, metrics and deadlines on. Servers of the API have the measured core, as an echo
 * has; everything behind them runs on the other.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, freePorts } from '../../tools/servers/free-port.ts';
import { type PostgresServer, startPostgresServer } from '../../tools/servers/postgres-server.ts';
import { Background } from '../processes/background.ts';
import type { WatchedGroup } from '../processes/cpu-time.ts';
import { NodeProcess } from '../processes/node-process.ts';
import { HELPER_CORE, SERVER_CORE } from '../processes/pinning.ts';
import { type LedgerServers, oneServer, type StartLedgerServers } from './ledger-servers.ts';
import { AUDIENCE, ISSUER, makeTokens, type Tokens } from './tokens.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Time a role has to become ready, to migrate, and to audit. */
const READY_LIMIT_MS = 30_000;
const MIGRATE_LIMIT_MS = 60_000;
const AUDIT_LIMIT_MS = 2_400_000;

const READY_POLL_MS = 50;

const SECRET_KEY_BYTES = 32;

/** A running serve process. */
export interface ServeProcess {
  readonly process: NodeProcess;
  readonly grpcPort: number;
  readonly httpPort: number;
}

/** The product with its stores. */
export class Product {
  readonly redis: LedgerServers;
  readonly postgres: PostgresServer;
  readonly tokens: Tokens;
  readonly archiveOpsPort: number;
  readonly databaseUrl: string;
  readonly #archive: NodeProcess;
  readonly #background: Background;
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(parts: {
    redis: LedgerServers;
    postgres: PostgresServer;
    tokens: Tokens;
    archive: NodeProcess;
    archiveOpsPort: number;
    databaseUrl: string;
    environment: Readonly<Record<string, string>>;
    stack: AsyncDisposableStack;
  }) {
    this.redis = parts.redis;
    this.postgres = parts.postgres;
    this.tokens = parts.tokens;
    this.archiveOpsPort = parts.archiveOpsPort;
    this.databaseUrl = parts.databaseUrl;
    this.#archive = parts.archive;
    this.#environment = parts.environment;
    this.#background = new Background(this.archiveProcesses, parts.stack);
  }

  /** Starts stores and archive; the stack ends them. Serve processes are started one by one with `serve`. */
  static async start(
    stack: AsyncDisposableStack,
    startServers: StartLedgerServers = oneServer,
    partitions = 1,
  ): Promise<Product> {
    const directory = await mkdtemp(join(tmpdir(), 'hongbao-bench-'));
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    const tokens = await makeTokens(directory);
    const redis = await startServers(stack);
    const postgres = await startPostgresServer({ fsync: true });
    stack.defer(() => postgres.stop());
    const databaseUrl = await postgres.createDatabase('hongbao');
    const environment = {
      ...productEnvironment(redis.url, databaseUrl, tokens),
      HONGBAO_LEDGER_PARTITIONS: String(partitions),
    };
    await migrate(environment);
    const archiveOpsPort = await freePort();
    const archive = stack.use(
      startRole('archive', HELPER_CORE, { ...environment, HONGBAO_OPS_PORT: String(archiveOpsPort) }),
    );
    await waitUntilReady(archive, archiveOpsPort);
    return new Product({
      redis,
      postgres,
      tokens,
      archive,
      archiveOpsPort,
      databaseUrl,
      environment,
      stack,
    });
  }

  /** Starts a serve process, with these settings beside those of all; the stack ends it. */
  async serve(
    stack: AsyncDisposableStack,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<ServeProcess> {
    const [grpcPort = 0, httpPort = 0, opsPort = 0] = await freePorts(3);
    const role = stack.use(
      startRole('serve', SERVER_CORE, {
        ...this.#environment,
        ...settings,
        HONGBAO_GRPC_PORT: String(grpcPort),
        HONGBAO_HTTP_PORT: String(httpPort),
        HONGBAO_OPS_PORT: String(opsPort),
      }),
    );
    await waitUntilReady(role, opsPort);
    return { process: role, grpcPort, httpPort };
  }

  /** Who works on a claim before it is answered, beside the server. */
  get ledgerProcesses(): readonly WatchedGroup[] {
    return [{ name: 'redis', pids: this.redis.pids }];
  }

  /** Who works on a claim afterwards. */
  get archiveProcesses(): readonly WatchedGroup[] {
    return [
      { name: 'archive', pids: [this.#archive.pid] },
      { name: 'postgres', pids: [this.postgres.pid], withChildren: true },
    ];
  }

  /**
   * Archive and Postgres work as fast as they can from now on, where there is time: when they are what is measured, or nothing is
   * measured any more.
   */
  bringArchiveBack(): void {
    this.#background.bringBack();
  }

  /** The archive's page of metrics. */
  async archiveMetrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.archiveOpsPort}/metrics`)).text();
  }

  /** Runs the audit; 0 means that every invariant holds. What it printed comes with it. */
  async audit(): Promise<{ readonly exitCode: number; readonly output: string }> {
    this.bringArchiveBack();
    await using audit = startRole('audit', HELPER_CORE, this.#environment);
    return { exitCode: await audit.exitCode(AUDIT_LIMIT_MS), output: audit.output };
  }
}

function productEnvironment(redisUrl: string, databaseUrl: string, tokens: Tokens): Record<string, string> {
  return {
    REDIS_URL: redisUrl,
    DATABASE_URL: databaseUrl,
    HONGBAO_LOG_LEVEL: 'warn',
    HONGBAO_GRPC_HOST: '127.0.0.1',
    HONGBAO_HTTP_HOST: '127.0.0.1',
    HONGBAO_OPS_HOST: '127.0.0.1',
    HONGBAO_AUTH: 'jwt',
    HONGBAO_CODES_KEY: 'a key for the codes of one benchmark',
    HONGBAO_SECRETS_KEY: `bench:${Buffer.alloc(SECRET_KEY_BYTES, 1).toString('base64')}`,
    HONGBAO_AUTH_ISSUER: ISSUER,
    HONGBAO_AUTH_AUDIENCE: AUDIENCE,
    HONGBAO_AUTH_JWKS_FILE: tokens.keySetFile,
    HONGBAO_DRAIN_READINESS_DELAY_MS: '0',
    HONGBAO_DRAIN_GRACE_MS: '5000',
  };
}

function startRole(role: string, core: number, environment: Readonly<Record<string, string>>): NodeProcess {
  return new NodeProcess({ name: role, file: MAIN, arguments: [role], core, environment });
}

async function migrate(environment: Readonly<Record<string, string>>): Promise<void> {
  await using role = startRole('migrate', HELPER_CORE, environment);
  const code = await role.exitCode(MIGRATE_LIMIT_MS);
  if (code !== 0) throw new Error(`migrate ended with ${code}: ${role.output}`);
}

async function waitUntilReady(role: NodeProcess, opsPort: number): Promise<void> {
  const endsMs = performance.now() + READY_LIMIT_MS;
  while (!(await isReady(opsPort))) {
    if (role.hasEnded || performance.now() > endsMs)
      throw new Error(`${role.name} is not ready: ${role.output}`);
    await sleep(READY_POLL_MS);
  }
}

async function isReady(opsPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${opsPort}/readyz`)).ok;
  } catch {
    return false;
  }
}
