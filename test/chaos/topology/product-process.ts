/** One role of the product as a process that can be killed, stopped, frozen and started again with the same settings. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../child-environment.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
/** Preloaded, so that a role never outlives the run that started it. */
const EXIT_WITH_PARENT = new URL('../../../tools/start/exit-with-parent.ts', import.meta.url).href;
const READY_MS = 60_000;
const READY_POLL_MS = 50;
const SHOWN_LOG_CHARACTERS = 4_000;

/** Variables of a process. */
export type Environment = Readonly<Record<string, string>>;

/** What a process of the product is started as. */
export interface ProductProcessOptions {
  /** Its name in notes and files, such as `serve-1`. */
  readonly name: string;
  readonly role: 'serve' | 'archive';
  readonly environment: Environment;
  /** Everything it prints goes here too. */
  readonly logFile: string;
  /** Called when it ends although nobody asked it to: a defect, whatever the fault of the moment was. */
  readonly onUnexpectedExit: (message: string) => void;
}

/** A process of the product. */
export class ProductProcess {
  readonly name: string;
  private readonly options: ProductProcessOptions;
  private child: ChildProcess | undefined;
  private log = '';
  private isFrozen = false;

  constructor(options: ProductProcessOptions) {
    this.options = options;
    this.name = options.name;
  }

  /** Whether it runs now. */
  get isRunning(): boolean {
    return this.child !== undefined;
  }

  /** Process id while it runs. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Port of one of its servers. */
  port(server: 'grpc' | 'http' | 'ops'): number {
    return Number(this.options.environment[`HONGBAO_${server.toUpperCase()}_PORT`]);
  }

  /** Address of its Connect and JSON server. */
  get httpUrl(): string {
    return `http://127.0.0.1:${this.port('http')}`;
  }

  /** Starts it; nothing happens when it runs already. `preload` is a module loaded before the product. */
  launch(preload?: URL): void {
    if (this.child !== undefined) return;
    const modules = [EXIT_WITH_PARENT, ...(preload ? [preload.href] : [])];
    const imports = modules.flatMap((module) => ['--import', module]);
    const child = spawn(process.execPath, [...imports, MAIN, this.options.role], {
      env: { ...childEnvironment(), ...this.options.environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => this.keep(chunk));
    child.once('exit', (code, signal) => this.onExit(child, `code ${code}, signal ${signal}`));
    this.child = child;
    this.isFrozen = false;
  }

  /** Starts it and resolves when it is ready; throws with the end of its log when it never is. */
  async start(preload?: URL): Promise<void> {
    this.launch(preload);
    await this.ready();
  }

  /** Resolves when it says that it is ready. */
  async ready(): Promise<void> {
    for (let waitedMs = 0; waitedMs < READY_MS; waitedMs += READY_POLL_MS) {
      if (await this.isReady()) return;
      if (!this.isRunning) break;
      await sleep(READY_POLL_MS);
    }
    throw new Error(`${this.name} is not ready: ${this.log}`);
  }

  /** Whether it says now that it is ready. */
  async isReady(): Promise<boolean> {
    const signal = AbortSignal.timeout(1_000);
    return await fetch(`http://127.0.0.1:${this.port('ops')}/readyz`, { signal }).then(
      (response) => response.ok,
      () => false,
    );
  }

  /** Ends it and resolves with its exit code, null after SIGKILL; 0 when it does not run. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const { child } = this;
    if (child === undefined) return 0;
    this.child = undefined;
    const exited = once(child, 'exit');
    child.kill(signal);
    // One that stands still dies of SIGKILL all the same, and of nothing else before it goes on.
    if (this.isFrozen && signal !== 'SIGKILL') child.kill('SIGCONT');
    await exited;
    return child.exitCode;
  }

  /** SIGSTOP: it stands still, its connections stay open. Undone by {@link thaw}. */
  freeze(): void {
    this.isFrozen = this.child?.kill('SIGSTOP') ?? false;
  }

  /** SIGCONT. */
  thaw(): void {
    this.child?.kill('SIGCONT');
    this.isFrozen = false;
  }

  private keep(chunk: Buffer): void {
    this.log = (this.log + chunk).slice(-SHOWN_LOG_CHARACTERS);
    appendFileSync(this.options.logFile, chunk);
  }

  private onExit(child: ChildProcess, how: string): void {
    if (this.child !== child) return;
    this.child = undefined;
    this.options.onUnexpectedExit(`${this.name} ended by itself (${how}): ${this.log}`);
  }
}
