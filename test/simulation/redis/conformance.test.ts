/**
 * The simulated Redis is worth what it has in common with the real one: random and hostile sequences of script calls go to both,
 * and every reply, every entry and every stored field has to be the same, byte for byte. SPEC C3
 */
import fc from 'fast-check';
import { type Command, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LEDGER_SCRIPTS } from '../../../src/gen/ledger-scripts.ts';
import { LedgerAdmin } from '../../../src/ledger/admin.ts';
import { decodeEntry } from '../../../src/ledger/event-format.ts';
import { partitionKeys } from '../../../src/ledger/keys.ts';
import { startRedisServer } from '../../../tools/servers/redis-server.ts';
import { Random } from '../time/random.ts';
import { bytesOf } from './bytes.ts';
import { type RandomCall, RandomCalls } from './random-calls.ts';
import { SimulatedRedis } from './simulated-redis.ts';

const KEYS = partitionKeys(0);
const CALLS = 45;
const SEQUENCES = 30;

let server: Awaited<ReturnType<typeof startRedisServer>>;
let redis: Redis;
let runId = '';

beforeAll(async () => {
  server = await startRedisServer();
  redis = new Redis(server.url, { protocol: 2 });
  runId = /run_id:(\w+)/.exec(await redis.info('server'))?.[1] ?? '';
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** Replies in a form that can be compared; of an error only its kind, because its text names places in the script. */
function plain(reply: unknown): unknown {
  if (reply instanceof Error) return `error ${reply.message.split(' ')[0]}`;
  if (Buffer.isBuffer(reply)) return reply.toString('hex');
  return Array.isArray(reply) ? reply.map(plain) : reply;
}

/** Both servers under the same calls. */
class Pair {
  private readonly simulated: SimulatedRedis;
  private simulatedNowMs = 0;

  constructor() {
    this.simulated = new SimulatedRedis({
      appendFsync: 'always',
      nextRunId: () => runId,
      nowMs: () => this.simulatedNowMs,
    });
  }

  /** Carries a script out on both, and compares. */
  async call({ script, keys, args }: RandomCall): Promise<void> {
    const [seconds = 0, micros = 0] = (await redis.time()).map(Number);
    this.simulatedNowMs = seconds * 1_000 + Math.floor(micros / 1_000);
    const { text } = LEDGER_SCRIPTS[script];
    const real: unknown = await redis
      .callBuffer('EVAL', [text, keys.length, ...keys, ...args])
      .catch((error: unknown) => error);
    // The moment of the decision is the real server's; the simulation is told.
    const isTold = Buffer.isBuffer(real) && real[0] === 0x4f && (script === 'claim' || script === 'transact');
    const decidedAtMs = isTold ? real.readUIntBE(1, 6) : await this.lastEntryMs();
    this.simulatedNowMs = Math.max(this.simulatedNowMs, decidedAtMs ?? 0);
    const simulated = this.attempt('eval', [text, String(keys.length), ...keys, ...args]);
    expect(plain(simulated), `reply of ${script}`).toEqual(plain(real));
    await this.compare(script);
  }

  /** Writes a value past the scripts into both, when the key is of that kind. */
  async plant({ key, field, value }: ReturnType<RandomCalls['planted']>): Promise<void> {
    const { keyspace } = this.simulated;
    const kind = typeof value === 'number' ? 'zset' : 'hash';
    if (keyspace.type(key) !== kind && keyspace.type(key) !== 'none') return;
    if (typeof value === 'number') {
      await redis.zadd(key, value, field);
      keyspace.addMember(key, bytesOf(field), value);
    } else {
      await redis.hset(key, field, value);
      keyspace.setField(key, bytesOf(field), bytesOf(value));
    }
    keyspace.commit();
  }

  /** The partition is closed, as after a restart. */
  async close(): Promise<void> {
    if (this.simulated.keyspace.type(KEYS.meta) === 'zset') return;
    await redis.hset(KEYS.meta, 'open', 'gone');
    this.simulated.execute('hset', [KEYS.meta, 'open', 'gone']);
  }

  /** Entries so far. */
  entries(): { seq: number; payload: string }[] {
    return this.simulated.keyspace.stream(KEYS.stream)?.entries ?? [];
  }

  private attempt(command: string, args: readonly (string | Buffer)[]): unknown {
    try {
      return this.simulated.execute(command, args.map(bytesOf));
    } catch (error) {
      return error;
    }
  }

  private async lastEntryMs(): Promise<number | undefined> {
    const entries: unknown = await redis
      .callBuffer('XREVRANGE', [KEYS.stream, '+', '-', 'COUNT', 1])
      .catch(() => []);
    const payload: unknown = Array.isArray(entries) ? entries[0]?.[1]?.[1] : undefined;
    return Buffer.isBuffer(payload) ? decodeEntry(payload).timeMs : undefined;
  }

  private async compare(script: string): Promise<void> {
    const { keyspace } = this.simulated;
    const names = (await redis.keys('*')).toSorted();
    expect(names, `keys after ${script}`).toEqual(keyspace.allKeys().toSorted());
    const stored = await Promise.all(names.map(storedInReal));
    names.forEach((key, index) => {
      expect(this.stored(key), `${key} after ${script}`).toEqual(stored[index]);
    });
  }

  private stored(key: string): unknown {
    const { keyspace } = this.simulated;
    const kind = keyspace.type(key);
    if (kind === 'stream')
      return keyspace.stream(key)?.entries.map(({ seq, generation, payload }) => {
        return [`${generation}-${seq}`, Buffer.from(payload, 'latin1').toString('hex')];
      });
    const pairs = kind === 'hash' ? [...(keyspace.hash(key) ?? [])] : [...(keyspace.set(key) ?? [])];
    return pairs
      .map(([name, value]) => [hex(name), typeof value === 'number' ? value : hex(value)])
      .toSorted();
  }
}

function hex(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('hex');
}

async function storedInReal(key: string): Promise<unknown> {
  const kind = await redis.type(key);
  if (kind === 'stream') {
    const entries: unknown = await redis.callBuffer('XRANGE', [key, '-', '+']);
    return Array.isArray(entries)
      ? entries.map(([id, [, payload]]) => [String(id), payload.toString('hex')])
      : [];
  }
  const command = kind === 'hash' ? ['HGETALL', key] : ['ZRANGE', key, '0', '-1', 'WITHSCORES'];
  const [name = '', ...args] = command;
  const flat: unknown = await redis.callBuffer(name, args);
  const parts: Buffer[] = Array.isArray(flat) ? flat : [];
  const pairs: unknown[][] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const value = kind === 'hash' ? parts[index + 1]?.toString('hex') : Number(parts[index + 1]);
    pairs.push([parts[index]?.toString('hex'), value]);
  }
  return pairs.toSorted();
}

async function runSequence(seed: number): Promise<void> {
  const random = new Random(seed);
  const calls = new RandomCalls(random, Date.now());
  const pair = new Pair();
  await redis.flushall();
  const isHostile = random.chance(0.6);
  for (let index = 0; index < CALLS; index += 1) {
    if (index === 0 || random.chance(0.06)) await pair.call(calls.open(runId));
    if (isHostile && random.chance(0.08)) await pair.plant(calls.planted());
    if (random.chance(0.03)) await pair.close();
    await pair.call(calls.next());
  }
  await replay(pair.entries(), random, calls);
}

/** An empty pair gets the entries again, as a gatekeeper puts them back. */
async function replay(
  entries: readonly { seq: number; payload: string }[],
  random: Random,
  calls: RandomCalls,
): Promise<void> {
  const pair = new Pair();
  await redis.flushall();
  let expected: number | undefined;
  for (const { seq, payload } of entries) {
    if (random.chance(0.05)) await pair.plant(calls.planted());
    const isWrong = random.chance(0.05);
    const entry = { seq: isWrong ? seq + 7 : seq, payload: Buffer.from(payload, 'latin1') };
    const [apply] = await recordApply(entry, expected);
    if (apply !== undefined) await pair.call(apply);
    expected = pair.entries().at(-1)?.seq;
    if (random.chance(0.03)) await pair.call(calls.open(runId));
  }
}

/** The call the product makes to put an entry back. */
async function recordApply(
  entry: { seq: number; payload: Buffer },
  expected: number | undefined,
): Promise<RandomCall[]> {
  const recorder = new RecordingConnection();
  await new LedgerAdmin(recorder, 1, 0).applyEntries([entry], expected);
  return recorder.calls;
}

/** Keeps what is sent, and answers each with 1. */
class RecordingConnection extends Redis {
  readonly calls: RandomCall[] = [];

  constructor() {
    super({ lazyConnect: true });
  }

  override sendCommand(command: Command): unknown {
    const [, count = 0, ...rest] = command.args.map((argument) =>
      Buffer.isBuffer(argument) ? argument : String(argument),
    );
    const keys = rest.slice(0, Number(count)).map(String);
    this.calls.push({ script: 'apply', keys, args: rest.slice(Number(count)) });
    command.resolve(1);
    return command.promise;
  }
}

// LEDGER 1, 2, 3, 4, 7, 15
it('answers, writes and fails as a real Redis does, whatever is asked of it', {
  timeout: 120_000,
}, async () => {
  const seeds = fc.integer({ min: 1, max: 2 ** 30 });
  await fc.assert(fc.asyncProperty(seeds, runSequence), { numRuns: SEQUENCES, endOnFailure: true });
});
