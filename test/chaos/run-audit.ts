/** `hongbao audit`, as an operator runs it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../child-environment.ts';
import type { Environment } from './topology/product-process.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** What a command of the product came to. */
export interface CommandResult {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly output: string;
}

/** Runs the audit on the stores that an environment names. */
export async function runAudit(environment: Environment): Promise<CommandResult> {
  return await runCommand(['audit'], environment);
}

/** Runs one command of the product to its end. */
export async function runCommand(args: readonly string[], environment: Environment): Promise<CommandResult> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...childEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  }
  await once(child, 'close');
  return { code: child.exitCode, output };
}
