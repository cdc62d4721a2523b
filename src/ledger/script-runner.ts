/** Runs the ledger's scripts by name and tells apart why one did not run. */
import type { Redis } from 'ioredis';
import { LEDGER_SCRIPTS } from '../gen/ledger-scripts.ts';

/** A script of `scripts/`, by its file's name. */
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
const SCRIPT_REPLY = /^(ERR|WRONGTYPE|ID_TAKEN|REF_TAKEN|GENERATION|PARTITIONS)/;

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

/** Runs a script somewhere; as {@link runScript} does, but for what its maker adds. */
export type RunScript = (
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | Buffer | number)[],
) => Promise<unknown>;

/** A reply, and how many replicas had everything this connection wrote when it was given. */
export interface ReplicatedReply {
  readonly reply: unknown;
  readonly replicas: number;
}

/** Which replicas a reply waits for. */
export interface ReplicaWait {
  /** Replicas that shall have the write. */
  readonly count: number;
  /** Longest wait for them, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Runs a script and waits until replicas have what it wrote. Both travel in one pipeline on one connection, because WAIT
 * answers only for the writes of its own connection; if the pipeline breaks between them the outcome is unknown. Throws
 * {@link ScriptFailure}.
 */
export async function runReplicatedScript(
  redis: Redis,
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | Buffer | number)[],
  wait: ReplicaWait,
): Promise<ReplicatedReply> {
  const script = LEDGER_SCRIPTS[name];
  const rest = [keys.length, ...keys, ...args];
  const first = await pipelined(redis, 'EVALSHA', [script.sha1, ...rest], wait);
  const [error, reply] = first.script;
  if (!error) return { reply, replicas: first.replicas };
  if (!error.message.startsWith('NOSCRIPT')) throw scriptFailure(error);
  const second = await pipelined(redis, 'EVAL', [script.text, ...rest], wait);
  if (second.script[0]) throw scriptFailure(second.script[0]);
  return { reply: second.script[1], replicas: second.replicas };
}

async function pipelined(
  redis: Redis,
  command: 'EVAL' | 'EVALSHA',
  args: (string | Buffer | number)[],
  wait: ReplicaWait,
): Promise<{ script: [Error | null, unknown]; replicas: number }> {
  const pipeline = redis.pipeline().callBuffer(command, args).call('WAIT', [wait.count, wait.timeoutMs]);
  const results = await pipeline.exec().catch((error: unknown) => {
    throw scriptFailure(error);
  });
  const [script, waited] = results ?? [];
  if (script === undefined || waited === undefined)
    throw new ScriptFailure('unreachable', 'the pipeline broke');
  // A script that was refused is what counts, whatever was answered after it.
  if (script[0]) return { script, replicas: 0 };
  // The script ran, but the server cannot say who has it, as one that has just become a replica.
  if (waited[0]) throw new ScriptFailure('unreachable', waited[0].message);
  return { script, replicas: Number(waited[1]) };
}
