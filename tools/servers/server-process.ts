import { type ChildProcess, spawn } from 'node:child_process';
import { guardProcess, type ReleaseGuard } from './guard.ts';

/** How long a store may take until it accepts connections, recovery after a crash included. */
const READY_TIMEOUT_MS = 60_000;

/** A signal is sent again after this long: Redis forgets one that comes while it writes its first append-only file. */
const SIGNAL_AGAIN_MS = 500;

/** How many of the last output characters are kept for an error message. */
const KEPT_OUTPUT_CHARACTERS = 4_000;

/** What is needed to start one store as a child process. */
export interface ServerProcessOptions {
  /** Name in error messages. */
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly directory: string;
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Account to run as; absent = the account of this process. */
  readonly account?: { readonly uid: number; readonly gid: number };
  /** Removed should this process die without having stopped the store; absent = the folder is to stay. */
  readonly temporaryFolder?: string;
  /** Text in the output that means "accepts connections". */
  readonly readyText: string;
  /** The signal for an orderly stop. */
  readonly stopSignal: 'SIGINT' | 'SIGTERM';
  /** Called when the process ends without having been asked to; the text holds the end of its output. */
  readonly onUnexpectedExit?: (message: string) => void;
}

/** The store said nothing useful and ended, or did not become ready in time; `output` is the end of what it printed. */
export class ServerStartError extends Error {
  readonly output: string;
  constructor(message: string, output: string) {
    super(`${message}\n${output}`);
    this.name = 'ServerStartError';
    this.output = output;
  }
}

/** One running store. All its output passes through this process, so `gone` also waits for its own children. */
export class ServerProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #options: ServerProcessOptions;
  readonly #release: ReleaseGuard;
  readonly #gone: Promise<void>;
  #output = '';
  #expectsExit = false;
  #isReady = false;

  private constructor(options: ServerProcessOptions, child: ChildProcess, pid: number) {
    this.#options = options;
    this.#child = child;
    this.pid = pid;
    this.#release = guardProcess(
      pid,
      options.stopSignal === 'SIGINT' ? 'INT' : 'TERM',
      options.temporaryFolder,
    );
    this.#gone = new Promise((resolve) => {
      child.once('close', () => {
        this.#release();
        resolve();
        // Whoever starts it is told of an end before that by `start`, and may try again.
        if (!this.#expectsExit && this.#isReady)
          options.onUnexpectedExit?.(`${options.name} ended unexpectedly.\n${this.#output}`);
      });
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => this.#keep(String(chunk)));
  }

  /** Starts the program and resolves once it accepts connections; throws {@link ServerStartError} otherwise. */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const child = spawn(options.command, options.arguments, {
      cwd: options.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, ...options.environment, LC_ALL: 'C', LC_MESSAGES: 'C' },
      ...options.account,
    });
    const pid = await spawnedPid(child, options.name);
    const server = new ServerProcess(options, child, pid);
    await server.#ready();
    return server;
  }

  /** Asks for an orderly stop and resolves when every process of the store is gone. */
  stop(): Promise<void> {
    return this.#end(this.#options.stopSignal);
  }

  /** SIGKILL, as a crash would; resolves when every process of the store is gone. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#expectsExit = true;
    this.#child.kill(signal);
    const again = setInterval(() => this.#child.kill(signal), SIGNAL_AGAIN_MS);
    await this.#gone;
    clearInterval(again);
  }

  #keep(text: string): void {
    this.#output = (this.#output + text).slice(-KEPT_OUTPUT_CHARACTERS);
  }

  async #ready(): Promise<void> {
    const { name, readyText } = this.#options;
    const outcome = await new Promise<'ready' | 'ended' | 'late'>((resolve) => {
      const timer = setTimeout(() => resolve('late'), READY_TIMEOUT_MS);
      const look = (): void => {
        if (this.#output.includes(readyText)) resolve('ready');
      };
      this.#child.stdout?.on('data', look);
      this.#child.stderr?.on('data', look);
      this.#child.once('close', () => resolve('ended'));
      void this.#gone.then(() => clearTimeout(timer));
      timer.unref();
    });
    this.#isReady = outcome === 'ready';
    if (this.#isReady) return;
    await this.kill();
    throw new ServerStartError(
      `${name} ${outcome === 'late' ? 'was not ready in time' : 'did not start'}.`,
      this.#output,
    );
  }
}

function spawnedPid(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new Error(`${name} could not be started: ${cause.message}`, { cause })),
    );
    child.once('spawn', () =>
      child.pid === undefined ? reject(new Error(`${name} has no pid.`)) : resolve(child.pid),
    );
  });
}
