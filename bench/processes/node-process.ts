/** Processes the benchmark starts, each of which ends with it, however it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { guardProcess } from '../../tools/servers/guard.ts';
import { pinnedCommand } from './pinning.ts';

/** Time a process has to say that it is ready. */
const READY_LIMIT_MS = 30_000;

/** Time a process has to end by itself before it is killed. */
const STOP_LIMIT_MS = 15_000;

/** How much of what a process printed is kept for an error message, in characters. */
const KEPT_OUTPUT = 4_000;

/** What to run: a TypeScript file with arguments, on a core, with additions to the environment. */
export interface NodeCommand {
  readonly name: string;
  readonly file: string;
  readonly arguments?: readonly string[];
  readonly core: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A process that was started. */
export class NodeProcess implements AsyncDisposable {
  readonly pid: number;
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number>;
  readonly #release: () => void;
  #output = '';

  constructor(command: NodeCommand) {
    const [program = process.execPath, ...rest] = pinnedCommand(command.core, [
      process.execPath,
      command.file,
      ...(command.arguments ?? []),
    ]);
    this.#child = spawn(program, rest, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...command.environment },
      detached: true,
    });
    this.name = command.name;
    this.pid = this.#child.pid ?? 0;
    this.#release = guardProcess(this.pid, 'KILL');
    this.#exited = new Promise((resolve) => this.#child.once('close', (code) => resolve(code ?? 1)));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.#output = (this.#output + bytes.toString()).slice(-KEPT_OUTPUT);
      });
    }
  }

  /** The last of what it printed, for messages. */
  get output(): string {
    return this.#output;
  }

  /** Whether it is gone. */
  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits for the first line it prints; fails when it ends or stays silent. */
  async firstLine(): Promise<string> {
    const lines = createInterface({ input: this.#child.stdout ?? process.stdin });
    const line = new Promise<string>((resolve) => lines.once('line', resolve));
    const gone = this.#exited.then((code) => {
      throw new Error(`${this.name} ended with ${code}: ${this.#output}`);
    });
    return withLimit(
      Promise.race([line, gone]),
      READY_LIMIT_MS,
      `${this.name} is not ready: ${this.#output}`,
    );
  }

  /** Gives it its whole input and waits for its whole output; fails when it ends with an error or takes too long. */
  async exchange(input: string, limitMs: number): Promise<string> {
    const pieces: Buffer[] = [];
    this.#child.stdout?.on('data', (piece: Buffer) => pieces.push(piece));
    this.#child.stdin?.end(input);
    try {
      const code = await withLimit(this.#exited, limitMs, `${this.name} took longer than ${limitMs} ms`);
      if (code !== 0) throw new Error(`${this.name} ended with ${code}: ${this.#output}`);
      return Buffer.concat(pieces).toString();
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  /** Waits for its end and returns the exit code. */
  async exitCode(limitMs: number): Promise<number> {
    return withLimit(this.#exited, limitMs, `${this.name} took longer than ${limitMs} ms`);
  }

  /** Asks it to end, and kills it when it does not. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS);
    await this.#exited;
    clearTimeout(kill);
    this.#release();
  }
}

async function withLimit<T>(work: Promise<T>, limitMs: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
