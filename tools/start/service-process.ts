import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { DATA_DIRECTORY, ROOT_DIRECTORY } from './settings.ts';

/** An orderly stop that takes longer than this is cut short. */
const STOP_TIMEOUT_MS = 30_000;
/** How many of its last log lines are shown when a process dies. */
const SHOWN_LINES = 12;
/** Levels that are worth the terminal; the rest goes to the log file only. */
const GRAVE_LEVELS = ['warn', 'error', 'fatal'];

/** One role of the service running as a child. */
export interface ServiceProcess {
  readonly role: string;
  /** Asks for an orderly stop and resolves when it is gone. Safe to call twice. */
  stop(): Promise<void>;
}

/** Where the log lines of the roles go. */
export const LOG_DIRECTORY = join(DATA_DIRECTORY, 'logs');

/**
 * Starts `node src/main.ts <role>`. `onUnexpectedExit` gets the end of its log when it ends without having been
 * stopped. The child is in a process group of its own, so that Ctrl-C reaches only us and the order of the stop holds.
 */
export function startService(
  role: string,
  environment: NodeJS.ProcessEnv,
  onUnexpectedExit: (message: string) => void,
): ServiceProcess {
  mkdirSync(LOG_DIRECTORY, { recursive: true });
  const preload = new URL('./exit-with-parent.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--import', preload, 'src/main.ts', role], {
    cwd: ROOT_DIRECTORY,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  });
  const lines = collectLines(role, child);
  let stopping = false;
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => lines.push(error.message));
    child.once('close', (code, signal) => {
      if (!stopping) onUnexpectedExit(`${role} ended with ${signal ?? `code ${code}`}:\n${lines.join('\n')}`);
      resolve();
    });
  });
  const stop = async (): Promise<void> => {
    stopping = true;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await gone;
    clearTimeout(timer);
  };
  return { role, stop };
}

/** Writes every line to the log file, shows the grave ones, and keeps the last few. */
function collectLines(role: string, child: ChildProcess): string[] {
  const last: string[] = [];
  const file = createWriteStream(join(LOG_DIRECTORY, `${role}.log`));
  child.once('close', () => file.end());
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) follow(stream, role, file, last);
  }
  return last;
}

function follow(stream: Readable, role: string, file: WriteStream, last: string[]): void {
  createInterface({ input: stream }).on('line', (line) => {
    file.write(`${line}\n`);
    last.push(line);
    if (last.length > SHOWN_LINES) last.shift();
    const text = worthShowing(line);
    if (text !== undefined) process.stderr.write(`[${role}] ${text}\n`);
  });
}

/** The message of a log line that says "warn" or worse; undefined for the others. What is no log line is shown as it is. */
function worthShowing(line: string): string | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    if (entry === null || typeof entry !== 'object' || !('level' in entry)) return line;
    const message = 'message' in entry ? String(entry.message) : line;
    return GRAVE_LEVELS.includes(String(entry.level)) ? message : undefined;
  } catch {
    return line;
  }
}
