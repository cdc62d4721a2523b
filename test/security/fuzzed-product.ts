/** A product to send anything to, all ways in at once, and what can be seen of it afterwards. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { DescMethod } from '@bufbuild/protobuf';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { Dice } from '../../bench/rule-sets/dice.ts';
import { SERVICES } from '../../src/transport/services.ts';
import { type ProductFixture, startProduct } from '../product-fixture.ts';
import { type RawAnswer, type RawCall, rawCalls } from './raw-calls.ts';

/** Time for a test of a whole product, in milliseconds. */
export const LIMIT_MS = 120_000;

/** A number to repeat a run, or undefined for a new one each time. */
const SEED: number | undefined = undefined;
/** The seed of all random requests of a test file's run. */
export const seed = SEED ?? Date.now() % 1_000_000_000;
export const dice = new Dice(seed);

/** Every method of the contract. */
export const METHODS: readonly DescMethod[] = SERVICES.flatMap(({ methods }) => methods);

/** Requests sent at the same time. */
const AT_ONCE = 24;
/** What nobody changes for so long stays as it is. */
const SETTLING_MS = 1_000;
/** Codes that say that we did not foresee something. */
const OURS = /^(INTERNAL|UNKNOWN|DATA_LOSS|UNIMPLEMENTED|CONNECTION|HTTP .*)$/;
/** Tables that a clock writes to, without any call. */
const CLOCKS = /^(job|job_run|job_leader|job_progress|ledger_cursor|feed_reader|schema_migrations)$/;

/** A request of one method, to be sent one way. */
export interface Attempt {
  readonly method: DescMethod;
  readonly way: string;
  readonly body: Buffer;
  readonly call: RawCall;
}

/** A request that was answered. */
export interface Answered {
  readonly attempt: Attempt;
  readonly answer: RawAnswer;
}

/** The running product, with its stores open to look into. */
export interface FuzzedProduct {
  readonly product: ProductFixture;
  readonly ways: ReturnType<typeof rawCalls>;
  readonly redis: Redis;
  /** Lines of its log that tell of an error. */
  readonly errorLines: readonly string[];
  /** Everything that calls can change: all keys of Redis, and how many rows each table has that no clock writes to. */
  state(): Promise<unknown>;
  /** The same once nothing that a call set off changes it any more. */
  settledState(): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts a product without limits on what one user may send. */
export async function startFuzzedProduct(): Promise<FuzzedProduct> {
  const errorLines: string[] = [];
  const product = await startProduct({ HONGBAO_RATE_USER_PER_SECOND: '0' });
  product.serve.onOutput = (text) => {
    errorLines.push(...text.split('\n').filter((line) => /"level":"(error|fatal)"/.test(line)));
  };
  const ways = rawCalls(product);
  const redis = new Redis(product.redis.url);
  const sql = postgres(product.postgres.url('hongbao'), { max: 1, onnotice: () => undefined });
  const state = () => stateOf(redis, sql);
  return {
    product,
    ways,
    redis,
    errorLines,
    state,
    settledState: () => settled(state),
    close: async () => {
      ways.close();
      redis.disconnect();
      await sql.end({ timeout: 1 });
      await product.close();
    },
  };
}

async function stateOf(redis: Redis, sql: ReturnType<typeof postgres>): Promise<unknown> {
  const keys = (await redis.keys('*')).toSorted().filter((key) => !/meta|guess/.test(key));
  const dumps = keys.map(async (key) => [key, (await redis.dumpBuffer(key))?.toString('hex')]);
  const tables = await sql<{ name: string }[]>`
    SELECT relname AS name FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND nspname = 'public' ORDER BY relname`;
  const counts = tables
    .filter(({ name }) => !CLOCKS.test(name))
    .map(async ({ name }) => [name, (await sql`SELECT count(*)::int AS n FROM ${sql(name)}`)[0]?.['n']]);
  return { dumps: await Promise.all(dumps), counts: await Promise.all(counts) };
}

async function settled(state: () => Promise<unknown>): Promise<unknown> {
  for (let last = await state(); ; ) {
    await sleep(SETTLING_MS);
    const now = await state();
    if (isDeepStrictEqual(now, last)) return now;
    last = now;
  }
}

/** Requests of a method with `bodies` on every binary way in, and with `json` as JSON, so many times each. */
export function onEveryWay(
  ways: ReturnType<typeof rawCalls>,
  method: DescMethod,
  { bodies, json, times }: { bodies: () => Buffer; json: () => Buffer; times: number },
): Attempt[] {
  const isUnary = method.methodKind === 'unary';
  const binary = Object.entries(ways.binary).filter(([way]) => way === 'gRPC' || isUnary);
  const attempts = binary.flatMap(([way, call]) =>
    Array.from({ length: times }, () => ({ method, way, call, body: bodies() })),
  );
  if (!isUnary) return attempts;
  const texts = Array.from({ length: times }, () => ({ method, way: 'JSON', call: ways.json, body: json() }));
  return [...attempts, ...texts];
}

/** Carries the attempts out; gives those that were answered, with their answers. */
export async function carryOut(attempts: readonly Attempt[]): Promise<Answered[]> {
  const done: Answered[] = [];
  for (let at = 0; at < attempts.length; at += AT_ONCE) {
    const batch = attempts.slice(at, at + AT_ONCE);
    const answers = batch.map(async (attempt) => ({
      attempt,
      answer: await attempt.call(attempt.method, attempt.body),
    }));
    done.push(...(await Promise.all(answers)));
  }
  return done;
}

/** The answers that say that we did not foresee something, told in full. */
export function unforeseen(done: readonly Answered[]): string[] {
  return done.filter(({ answer }) => OURS.test(answer.code)).map(show);
}

function show({ attempt: { method, way, body }, answer: { code, message } }: Answered): string {
  return `${method.name} by ${way}: ${code} ${message}; seed ${seed}; ${body.toString('latin1').slice(0, 500)} = ${body.toString('hex').slice(0, 2000)}`;
}
