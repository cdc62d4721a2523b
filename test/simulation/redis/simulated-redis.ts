/**
 * A Redis server of the simulation: what the ledger needs of one, in memory, carried out one call at a time.
 *
 * It has an identity that changes with every start, a cache of scripts that a start empties, a file that is synced before each
 * reply or now and then, and a replica that follows some way behind. What a start finds is a prefix of what was written.
 */
import { LEDGER_SCRIPTS } from '../../../src/gen/ledger-scripts.ts';
import { runApply } from './apply-script.ts';
import { bufferOf, bytesOf, ScriptError } from './bytes.ts';
import { runClaim } from './claim-script.ts';
import { COMMANDS, type Reply } from './commands.ts';
import { type Change, Keyspace } from './keyspace.ts';
import { runDefine, runHide, runOpen } from './record-scripts.ts';
import type { ScriptCall, ScriptFault, ScriptReply } from './script-context.ts';
import { runTransact } from './transact-script.ts';

/** When the append-only file is synced. */
export type AppendFsync = 'always' | 'everysec';

/** What a server is made of. */
export interface SimulatedRedisOptions {
  readonly appendFsync: AppendFsync;
  /** Identities of the processes that serve, one after the other. */
  nextRunId(): string;
  /** The server's clock, ms since the epoch. */
  nowMs(): number;
  readonly faults?: ReadonlySet<ScriptFault>;
  /** Told about every call that wrote something. */
  onChange?(change: Change): void;
}

type Script = (call: ScriptCall) => ScriptReply;

const SCRIPTS: Readonly<Record<string, Script>> = {
  claim: runClaim,
  define: runDefine,
  hide: runHide,
  open: runOpen,
  apply: runApply,
  transact: runTransact,
};
const NAMES_BY_SHA1 = new Map<string, string>();
const NAMES_BY_TEXT = new Map<string, string>();
for (const [name, { sha1, text }] of Object.entries(LEDGER_SCRIPTS)) {
  NAMES_BY_SHA1.set(sha1, name);
  NAMES_BY_TEXT.set(bytesOf(text), name);
}

function replyOf(reply: ScriptReply): Reply {
  if (typeof reply === 'number') return reply;
  return typeof reply === 'string' ? bufferOf(reply) : reply.map(replyOf);
}

/** See the module's comment. */
export class SimulatedRedis {
  readonly keyspace = new Keyspace();
  runId: string;
  private readonly options: SimulatedRedisOptions;
  private cached = new Set<string>();

  constructor(options: SimulatedRedisOptions) {
    this.options = options;
    this.runId = options.nextRunId();
  }

  get appendFsync(): AppendFsync {
    return this.options.appendFsync;
  }

  /** Carries a command out. Throws what the server would answer as an error. */
  execute(name: string, args: readonly string[]): Reply {
    try {
      return this.carryOut(name.toLowerCase(), args);
    } finally {
      // As in Redis, what was written before a failure stays.
      const change = this.keyspace.commit();
      if (change !== undefined) this.options.onChange?.(change);
    }
  }

  /** Another process serves from here on; it has what was written up to this place. What it has lost, oldest first. */
  restart(length: number): Change[] {
    this.runId = this.options.nextRunId();
    this.cached = new Set();
    return this.keyspace.rollback(length);
  }

  /** SCRIPT FLUSH. */
  forgetScripts(): void {
    this.cached = new Set();
  }

  private carryOut(name: string, args: readonly string[]): Reply {
    if (name === 'evalsha' || name === 'eval') return this.runScript(name, args);
    if (name === 'info') return Buffer.from(this.info());
    if (name === 'config') return [Buffer.from('appendonly'), Buffer.from('yes'), ...this.fsyncSetting()];
    const command = COMMANDS[name];
    if (command === undefined) throw new ScriptError(`ERR unknown command '${name}'`);
    return command(this.keyspace, args);
  }

  private runScript(kind: 'eval' | 'evalsha', [script = '', count = '', ...rest]: readonly string[]): Reply {
    const name = (kind === 'eval' ? NAMES_BY_TEXT : NAMES_BY_SHA1).get(script);
    if (name === undefined || (kind === 'evalsha' && !this.cached.has(name)))
      throw new ScriptError('NOSCRIPT No matching script.');
    this.cached.add(name);
    const run = SCRIPTS[name];
    if (run === undefined) throw new ScriptError(`ERR the simulation does not know the script ${name}`);
    const { keyspace, runId, options } = this;
    const reply = run({
      keyspace,
      runId,
      timeMs: Math.floor(options.nowMs()),
      keys: rest.slice(0, Number(count)),
      args: rest.slice(Number(count)),
      faults: options.faults ?? NO_FAULTS,
    });
    return replyOf(reply);
  }

  private fsyncSetting(): Reply[] {
    return [Buffer.from('appendfsync'), Buffer.from(this.options.appendFsync)];
  }

  private info(): string {
    return `# Server\r\nrun_id:${this.runId}\r\n# Persistence\r\naof_enabled:1\r\naof_last_write_status:ok\r\n`;
  }
}

const NO_FAULTS: ReadonlySet<ScriptFault> = new Set();
