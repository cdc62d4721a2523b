/**
 * `npm start`: the whole product on one machine. Stores, migrations, the service, the archive and the sample catalogue,
 * ended together and in the reverse order by Ctrl-C or by the death of any part.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadCatalogue } from './load-catalogue.ts';
import { welcome } from './start/first-calls.ts';
import { requireFreePorts } from './start/ports.ts';
import { awaitOpenLedger, awaitReady } from './start/readiness.ts';
import { markRunning } from './start/run-marker.ts';
import { startService } from './start/service-process.ts';
import {
  DATA_DIRECTORY,
  ROOT_DIRECTORY,
  readSettings,
  type StartSettings,
  servicePorts,
} from './start/settings.ts';
import { openStores, type StoreAddresses } from './start/stores.ts';

const run = promisify(execFile);

const CODES_KEY_BYTES = 32;

/** Ends the run; with a message when something failed. */
type End = (failure?: string) => void;

/** The secret that codes are kept by, made at the first start and kept with the data it protects. */
async function codesKey(): Promise<string> {
  const path = join(DATA_DIRECTORY, 'codes-key');
  const made = randomBytes(CODES_KEY_BYTES).toString('base64url');
  // An existing file is left as it is.
  await writeFile(path, made, { flag: 'wx', mode: 0o600 }).catch(() => undefined);
  return (await readFile(path, 'utf8')).trim();
}

/** Lets everybody in, which the service accepts only with its embedded development set-up; see SECURITY.md. */
function serviceEnvironment(stores: StoreAddresses, codesKey: string): NodeJS.ProcessEnv {
  return {
    NODE_COMPILE_CACHE: join(DATA_DIRECTORY, 'compile-cache'),
    // Nobody balances load onto this machine, so a stop need not wait until they noticed.
    HONGBAO_DRAIN_READINESS_DELAY_MS: '0',
    // Only one archive runs here, so after a kill its successor need not wait long for the lease to lapse.
    HONGBAO_ARCHIVE_LEASE_MS: '2000',
    ...(process.env.HONGBAO_CODES_KEY_FILE === undefined && { HONGBAO_CODES_KEY: codesKey }),
    ...process.env,
    HONGBAO_AUTH: 'off',
    HONGBAO_DEVELOPMENT: 'embedded',
    DATABASE_URL: stores.databaseUrl,
    REDIS_URL: stores.redisUrl,
  };
}

async function startEverything(stack: AsyncDisposableStack, end: End, signal: AbortSignal): Promise<void> {
  const settings = readSettings(process.env);
  const wasKilled = await markRunning(stack);
  await requireFreePorts(servicePorts(settings), wasKilled);
  const stores = await openStores(settings, stack, end);
  signal.throwIfAborted();
  await startRoles(settings, serviceEnvironment(stores, await codesKey()), stack, end, signal);
  const baseUrl = `http://127.0.0.1:${settings.httpPort}`;
  await loadCatalogue(baseUrl, signal);
  await awaitOpenLedger(baseUrl, signal);
  process.stdout.write(welcome(settings, stores, performance.now() / 1_000));
}

async function startRoles(
  settings: StartSettings,
  environment: NodeJS.ProcessEnv,
  stack: AsyncDisposableStack,
  end: End,
  signal: AbortSignal,
): Promise<void> {
  await run(process.execPath, ['src/main.ts', 'migrate'], { cwd: ROOT_DIRECTORY, env: environment });
  signal.throwIfAborted();
  const archivePort = String(settings.archiveOpsPort);
  const archive = startService('archive', { ...environment, HONGBAO_OPS_PORT: archivePort }, end);
  stack.defer(() => archive.stop());
  const serve = startService('serve', environment, end);
  stack.defer(() => serve.stop());
  await Promise.all([
    awaitReady('archive', settings.archiveOpsPort, signal),
    awaitReady('serve', settings.opsPort, signal),
  ]);
}

/** npm passes on the Ctrl-C that the terminal also sends to us directly: signals this close together are one. */
const SAME_SIGNAL_MS = 1_000;

/** How often to look whether npm is still there; killed, it can tell nobody. */
const PARENT_POLL_MS = 500;

/** Resolves with the failure, or with nothing when a signal or the end of npm asks for a stop; a second Ctrl-C ends this process at once. */
function untilEnded(): { ended: Promise<string | undefined>; end: End } {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let firstSignalAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      firstSignalAt ??= performance.now();
      if (performance.now() - firstSignalAt > SAME_SIGNAL_MS) process.exit(1);
      resolve(undefined);
    });
  }
  const parent = process.ppid;
  const poll = setInterval(() => {
    if (process.ppid !== parent) resolve(undefined);
  }, PARENT_POLL_MS);
  poll.unref();
  return { ended: promise, end: resolve };
}

async function main(): Promise<void> {
  // A reader that went away (a closed terminal, `| head`) must not keep us from ending what we started.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const { ended, end } = untilEnded();
  const abort = new AbortController();
  const stack = new AsyncDisposableStack();
  const started = startEverything(stack, end, abort.signal).catch((error: unknown) => end(describe(error)));
  const failure = await ended;
  abort.abort();
  // Whatever is being started at this moment has to be known to the stack before the stack ends everything.
  await started;
  if (failure === undefined) process.stdout.write('\nStopping ...\n');
  else process.stderr.write(`\n${failure}\n`);
  await stack.disposeAsync();
  process.exitCode = failure === undefined ? 0 : 1;
}

/** One line for what the user can put right; the output of a program that failed. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'stderr' in error && error.stderr ? `${error.message}\n${error.stderr}` : error.message;
}

await main();
