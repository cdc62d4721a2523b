/** The product as real processes on real stores, for tests that kill parts of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type CallOptions, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { CartService } from '../src/gen/hongbao/v1/cart_service_pb.ts';
import { CouponService } from '../src/gen/hongbao/v1/coupon_service_pb.ts';
import type { PromotionSchema } from '../src/gen/hongbao/v1/promotion_pb.ts';
import { PromotionService } from '../src/gen/hongbao/v1/promotion_service_pb.ts';
import { freePort } from '../tools/servers/free-port.ts';
import type { PostgresServer } from '../tools/servers/postgres-server.ts';
import { type CommandResult, runCommand } from './chaos/run-audit.ts';
import { childEnvironment } from './child-environment.ts';
import { createMigrated, startOwnPostgres } from './own-postgres.ts';
import { type SetUp, startTestRedis, type TestRedis } from './redis-set-up.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
/** Preloaded, so that a role never outlives the test that started it. */
const EXIT_WITH_PARENT = new URL('../tools/start/exit-with-parent.ts', import.meta.url).href;
const READY_MS = 30_000;
const READY_POLL_MS = 50;
/** Lines of a role's log that a failed test shows. */
const SHOWN_LOG_CHARACTERS = 4_000;

type Environment = Readonly<Record<string, string>>;

async function isReady(url: string): Promise<boolean> {
  return await fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

/** One role as a process that can be killed and started again with the same settings. */
export class RoleProcess {
  private readonly role: string;
  private environment: Environment;
  private child: ChildProcess | undefined;
  private log = '';
  /** Told everything it writes, when a test sets it before the start. */
  onOutput: ((text: string) => void) | undefined;

  constructor(role: string, environment: Environment) {
    this.role = role;
    this.environment = environment;
  }

  /** Changes settings for the next start. */
  configure(changes: Environment): void {
    this.environment = { ...this.environment, ...changes };
  }

  /** Starts it; resolves when it is ready. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, ['--import', EXIT_WITH_PARENT, MAIN, this.role], {
      env: { ...childEnvironment(), ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.log = (this.log + chunk).slice(-SHOWN_LOG_CHARACTERS);
        this.onOutput?.(String(chunk));
      });
    }
    this.child = child;
    const url = `http://127.0.0.1:${this.environment['HONGBAO_OPS_PORT']}/readyz`;
    for (let waitedMs = 0; waitedMs < READY_MS; waitedMs += READY_POLL_MS) {
      if (await isReady(url)) return;
      await sleep(READY_POLL_MS);
    }
    throw new Error(`${this.role} is not ready: ${this.log}`);
  }

  /** Ends it and resolves with its exit code (null after SIGKILL). */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? 0;
    this.child = undefined;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  }
}

/** Everything that runs. */
export interface ProductFixture {
  readonly redis: TestRedis;
  readonly postgres: PostgresServer;
  readonly databaseUrl: string;
  readonly serve: RoleProcess;
  readonly archive: RoleProcess;
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly opsPort: number;
  /** Where the archiving process shows its figures. */
  readonly archiveOpsPort: number;
  /** The address of the calls, for clients of other services than those below. */
  readonly baseUrl: string;
  readonly promotions: ReturnType<typeof createClient<typeof PromotionService>>;
  readonly coupons: ReturnType<typeof createClient<typeof CouponService>>;
  readonly carts: ReturnType<typeof createClient<typeof CartService>>;
  /** Changes settings of everything that is started from now on. */
  configure(changes: Environment): void;
  /** Runs `hongbao` with these arguments to its end; gives its exit code and output. */
  run(...args: readonly string[]): Promise<CommandResult>;
  /** Runs `hongbao audit`; gives its exit code and output. */
  audit(): Promise<CommandResult>;
  close(): Promise<void>;
}

/** A promotion as a test writes it down. */
export type PromotionInit = Exclude<MessageInitShape<typeof PromotionSchema>, { $typeName: string }>;

const OF_EVERYBODY: PromotionInit = {
  reach: { way: { case: 'claimable', value: {} } },
  validity: { kind: { case: 'daysAfterClaim', value: { days: 7 } } },
};

/**
 * Creates and activates a promotion: 10.00 off in yuan, for a week from the claim, which is everybody's, unless told. The same call
 * may be made again.
 */
export async function promote(
  promotions: ProductFixture['promotions'],
  promotionId: string,
  promotion: PromotionInit = {},
  options?: CallOptions,
): Promise<void> {
  const request = {
    promotionId,
    requestId: `create-${promotionId}`,
    promotion: {
      name: { en: promotionId, zh: promotionId },
      currency: 'CNY',
      effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: 1_000n } } },
      ...(promotion.reach === undefined && OF_EVERYBODY),
      ...promotion,
    } satisfies PromotionInit,
  };
  await promotions.createPromotion(request, options);
  await promotions.activatePromotion({ promotionId, requestId: `activate-${promotionId}` }, options);
}

async function ports(): Promise<Environment> {
  const [grpc, http, ops] = [await freePort(), await freePort(), await freePort()];
  return { HONGBAO_GRPC_PORT: String(grpc), HONGBAO_HTTP_PORT: String(http), HONGBAO_OPS_PORT: String(ops) };
}

/** Starts stores with all tables, and one serve and one archive process; on the chosen set-up of Redis unless one is named. */
export async function startProduct(overrides: Environment = {}, setUp?: SetUp): Promise<ProductFixture> {
  const [redis, postgres] = await Promise.all([startTestRedis(setUp), startOwnPostgres({ fsync: true })]);
  const databaseUrl = await createMigrated(postgres);
  let shared: Environment = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redis.url,
    HONGBAO_AUTH: 'off',
    HONGBAO_DEVELOPMENT: 'embedded',
    HONGBAO_DRAIN_READINESS_DELAY_MS: '0',
    HONGBAO_ARCHIVE_LEASE_MS: '1000',
    ...redis.environment,
    ...overrides,
  };
  const servePorts = await ports();
  const archivePorts = await ports();
  const serve = new RoleProcess('serve', { ...shared, ...servePorts });
  const archive = new RoleProcess('archive', { ...shared, ...archivePorts });
  await Promise.all([serve.start(), archive.start()]);
  const baseUrl = `http://127.0.0.1:${servePorts['HONGBAO_HTTP_PORT']}`;
  const transport = createConnectTransport({ baseUrl, httpVersion: '1.1' });
  return {
    redis,
    postgres,
    databaseUrl,
    serve,
    archive,
    grpcPort: Number(servePorts['HONGBAO_GRPC_PORT']),
    httpPort: Number(servePorts['HONGBAO_HTTP_PORT']),
    opsPort: Number(servePorts['HONGBAO_OPS_PORT']),
    archiveOpsPort: Number(archivePorts['HONGBAO_OPS_PORT']),
    baseUrl,
    promotions: createClient(PromotionService, transport),
    coupons: createClient(CouponService, transport),
    carts: createClient(CartService, transport),
    configure(changes) {
      shared = { ...shared, ...changes };
      serve.configure(changes);
      archive.configure(changes);
    },
    run: (...args) => runCommand(args, shared),
    audit: () => runCommand(['audit'], shared),
    async close() {
      await Promise.all([serve.end('SIGTERM'), archive.end('SIGTERM')]);
      await Promise.all([redis.close(), postgres.stop()]);
    },
  };
}
