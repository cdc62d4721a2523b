/** The gRPC generator against h2load on the same echo: a generator that is the bottleneck would show here. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { grpcPrefix } from '../load/grpc-frame.ts';
import { HELPER_CORE, pinnedCommand } from '../processes/pinning.ts';
import { CLAIM_PATH, claimTemplate, grpcHeaders } from './claim-messages.ts';
import type { Window } from './contender.ts';
import { GRPC_CALLS_PER_CONNECTION, GRPC_CONNECTIONS, type Loads } from './loads.ts';

const run = promisify(execFile);

/** Calls per second of both generators, one after the other. */
export interface GeneratorCheck {
  readonly oursPerSecond: number;
  readonly h2loadPerSecond: number;
}

/** Time h2load may take beyond its windows. */
const SLACK_MS = 30_000;

/** Whether h2load can be called. */
export function hasH2load(): boolean {
  try {
    execFileSync('h2load', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Calls per second that h2load gets out of the gRPC server on this port, with the load's headers and request. */
export async function measureWithH2load(loads: Loads, port: number, window: Window): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'hongbao-h2load-'));
  try {
    const file = join(directory, 'request');
    const message = Buffer.from(claimTemplate(loads.promotionId).base64, 'base64');
    await writeFile(file, Buffer.concat([grpcPrefix(message.length), message]));
    const [program = '', ...rest] = pinnedCommand(HELPER_CORE, command(loads, port, file, window));
    const { stdout } = await run(program, rest, { timeout: window.warmUpMs + window.measureMs + SLACK_MS });
    return readH2load(stdout);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function command(loads: Loads, port: number, file: string, window: Window): string[] {
  const headers = grpcHeaders(CLAIM_PATH, loads.token).filter(([name]) => !name.startsWith(':'));
  return [
    'h2load',
    ...['-c', String(GRPC_CONNECTIONS), '-m', String(GRPC_CALLS_PER_CONNECTION), '-d', file],
    ...['-D', String(Math.ceil(window.measureMs / 1000))],
    ...[`--warm-up-time=${Math.ceil(window.warmUpMs / 1000)}`],
    ...headers.flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    `http://127.0.0.1:${port}${CLAIM_PATH}`,
  ];
}

/** The rate in what h2load prints; throws when it is not there. */
export function readH2load(output: string): number {
  const [, rate] = /finished in [\d.]+\w+, ([\d.]+) req\/s/.exec(output) ?? [];
  if (rate === undefined) throw new Error(`h2load said: ${output.slice(-500)}`);
  return Number(rate);
}
