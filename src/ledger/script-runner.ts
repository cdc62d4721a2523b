/** Runs the ledger's scripts by name and tells apart why one did not run. */
import type { Redis } from 'ioredis';
import { LEDGER_SCRIPTS } from './scripts/scripts.gen.ts';

export type ScriptName = keyof typeof LEDGER_SCRIPTS;

/**
 * Why a call failed, as far as the caller's next step depends on it.
 *
 * - `unreachable`: no reply; the script may or may not have run. Every script may be run again.
 * - `busy`: the server is up and refused to run it (loading, read-only, disk trouble, another script). It did not run.
 * - `memory`: the server is at its memory limit. It did not run.
 * - `script`: the script itself failed.
 */
export type ScriptFailureKind = 'unreachable' | 'busy' | 'memory' | 'script';

/** A script call without an answer. The cause never carries the command's arguments, which name users. */
export class ScriptFailure extends Error {
  override readonly name = 'ScriptFailure';
  readonly kind: ScriptFailureKind;

  constructor(kind: ScriptFailureKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

const BUSY_REPLY =
  /^(BUSY|LOADING|MISCONF|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|TRYAGAIN|MOVED|ASK|NOPERM|NOAUTH)/;
const SCRIPT_REPLY = /^(ERR|WRONGTYPE|ID_TAKEN|GENERATION)/;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function failureKind(message: string): ScriptFailureKind {
  if (message.startsWith('OOM')) return 'memory';
  if (BUSY_REPLY.test(message)) return 'busy';
  return SCRIPT_REPLY.test(message) ? 'script' : 'unreachable';
}

/** Turns whatever the driver threw into a {@link ScriptFailure}. */
export function scriptFailure(error: unknown): ScriptFailure {
  const message = messageOf(error);
  return new ScriptFailure(failureKind(message), message);
}

/**
 * Runs a script and returns its reply with bulk strings as buffers. The server's script cache is volatile, so a miss
 * sends the text once. Throws {@link ScriptFailure}.
 */
export async function runScript(
  redis: Redis,
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | Buffer | number)[],
): Promise<unknown> {
  const script = LEDGER_SCRIPTS[name];
  try {
    return await redis.callBuffer('EVALSHA', [script.sha1, keys.length, ...keys, ...args]);
  } catch (error) {
    if (!messageOf(error).startsWith('NOSCRIPT')) throw scriptFailure(error);
  }
  try {
    return await redis.callBuffer('EVAL', [script.text, keys.length, ...keys, ...args]);
  } catch (error) {
    throw scriptFailure(error);
  }
}
