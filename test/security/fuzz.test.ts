/**
 * Every method on every way in, given what no client sends: no crash, no internal error, no effect of what is refused. The seed
 * is in every failure; put it into `SEED` to see the same again.
 */
// SPEC S1; F30
import { connect as connectTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type DescMethod, toBinary } from '@bufbuild/protobuf';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dice } from '../../bench/rule-sets/dice.ts';
import { SERVICES } from '../../src/transport/services.ts';
import { type ProductFixture, startProduct } from '../product-fixture.ts';
import { brokenBytes, brokenJson, bytes, HOSTILE_TEXTS, randomMessage } from './random-request.ts';
import { type RawAnswer, type RawCall, rawCalls } from './raw-calls.ts';

/** A number to repeat a run, or undefined for a new one each time. */
const SEED: number | undefined = undefined;
const seed = SEED ?? Date.now() % 1_000_000_000;
const dice = new Dice(seed);

/** Requests of each method on each way in. */
const BROKEN_PER_WAY = 2;
const PLAUSIBLE_PER_WAY = 2;
/** Hostile texts tried in each text field; over the runs all of them. */
const TEXTS_PER_FIELD = 10;
const AT_ONCE = 24;
const LIMIT_MS = 120_000;
/** What nobody changes for so long stays as it is. */
const SETTLING_MS = 500;

const METHODS = SERVICES.flatMap(({ methods }) => methods);
/** Codes that say that we did not foresee something. */
const OURS = /^(INTERNAL|UNKNOWN|DATA_LOSS|UNIMPLEMENTED|CONNECTION|HTTP .*)$/;

interface Attempt {
  readonly method: DescMethod;
  readonly way: string;
  readonly body: Buffer;
  readonly call: RawCall;
}

let product: ProductFixture;
let ways: ReturnType<typeof rawCalls>;
let redis: Redis;
let sql: ReturnType<typeof postgres>;
const errorLines: string[] = [];

beforeAll(async () => {
  product = await startProduct({ HONGBAO_RATE_USER_PER_SECOND: '0' });
  product.serve.onOutput = (text) => {
    errorLines.push(...text.split('\n').filter((line) => /"level":"(error|fatal)"/.test(line)));
  };
  ways = rawCalls(product);
  redis = new Redis(product.redis.url);
  sql = postgres(product.postgres.url('hongbao'), { max: 1, onnotice: () => undefined });
}, LIMIT_MS);
afterAll(async () => {
  ways.close();
  redis.disconnect();
  await sql.end({ timeout: 1 });
  await product.close();
});

/** Everything that calls can change: all keys of Redis and the rows of every table that no clock writes to. */
async function state(): Promise<unknown> {
  const keys = (await redis.keys('*')).toSorted().filter((key) => !/meta|guess/.test(key));
  const dumps = keys.map(async (key) => [key, (await redis.dumpBuffer(key))?.toString('hex')]);
  const tables = await sql<{ name: string }[]>`
    SELECT relname AS name FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND nspname = 'public' ORDER BY relname`;
  const clocks = /^(job|job_run|job_leader|job_progress|ledger_cursor|feed_reader|schema_migrations)$/;
  const counts = tables
    .filter(({ name }) => !clocks.test(name))
    .map(async ({ name }) => [name, (await sql`SELECT count(*)::int AS n FROM ${sql(name)}`)[0]?.['n']]);
  return { dumps: await Promise.all(dumps), counts: await Promise.all(counts) };
}

/** The same once the start is over, after which promotions are still being put into the ledger. */
async function settledState(): Promise<unknown> {
  for (let last = await state(); ; ) {
    await sleep(SETTLING_MS);
    const now = await state();
    if (isDeepStrictEqual(now, last)) return now;
    last = now;
  }
}

/** Carries the attempts out; gives those that were answered, with their answers. */
async function carryOut(attempts: readonly Attempt[]): Promise<{ attempt: Attempt; answer: RawAnswer }[]> {
  const done: { attempt: Attempt; answer: RawAnswer }[] = [];
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

const show = ({ attempt, answer }: { attempt: Attempt; answer: RawAnswer }) =>
  `${attempt.method.name} by ${attempt.way}: ${answer.code} ${answer.message}; seed ${seed}; ${attempt.body.toString('latin1').slice(0, 500)} = ${attempt.body.toString('hex').slice(0, 2000)}`;

const isStream = (method: DescMethod) => method.methodKind !== 'unary';

function onEveryWay(method: DescMethod, bodies: () => Buffer, json: () => Buffer, times: number): Attempt[] {
  const binary = Object.entries(ways.binary).filter(([way]) => way === 'gRPC' || !isStream(method));
  const attempts = binary.flatMap(([way, call]) =>
    Array.from({ length: times }, () => ({ method, way, call, body: bodies() })),
  );
  const texts = isStream(method)
    ? []
    : Array.from({ length: times }, () => ({ method, way: 'JSON', call: ways.json, body: json() }));
  return [...attempts, ...texts];
}

/** A request without an idempotency key reads only. */
const reads = (method: DescMethod) => !method.input.fields.some(({ name }) => name === 'request_id');

describe(`seed ${seed}`, () => {
  test(
    'requests that are broken',
    async () => {
      const before = await settledState();
      const attempts = METHODS.flatMap((method) =>
        onEveryWay(
          method,
          () => brokenBytes(dice, method.input),
          () => Buffer.from(brokenJson(dice, method.input)),
          BROKEN_PER_WAY,
        ),
      );
      const done = await carryOut(attempts);
      expect(done.filter(({ answer }) => OURS.test(answer.code)).map(show)).toEqual([]);
      const took = done.filter(({ attempt, answer }) => answer.code === 'OK' && !reads(attempt.method));
      // What was refused left nothing behind; what was taken, by luck, is another test's.
      if (took.length === 0) expect(await state()).toEqual(before);
      expect(errorLines).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    'requests that are nearly right, with hostile texts in them',
    async () => {
      const attempts = METHODS.flatMap((method) => {
        const body = () => Buffer.from(toBinary(method.input, randomMessage(dice, method.input, 0.15)));
        return onEveryWay(method, body, () => Buffer.from(brokenJson(dice, method.input)), PLAUSIBLE_PER_WAY);
      });
      const done = await carryOut(attempts);
      expect(done.filter(({ answer }) => OURS.test(answer.code)).map(show)).toEqual([]);
      expect(errorLines).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    'every text field of every request, with hostile texts',
    async () => {
      const attempts = METHODS.flatMap((method) => {
        const fields = method.input.fields.filter(
          ({ scalar, fieldKind }) => fieldKind === 'scalar' && scalar === 9,
        );
        return fields.flatMap((field) =>
          Array.from({ length: TEXTS_PER_FIELD }, () => {
            const text = dice.pick(HOSTILE_TEXTS);
            const message = randomMessage(dice, method.input, 0);
            Object.assign(message, { [field.localName]: text });
            const call = ways.binary['gRPC'];
            if (call === undefined) throw new Error('there is no gRPC');
            return { method, way: 'gRPC', call, body: Buffer.from(toBinary(method.input, message)) };
          }),
        );
      });
      const done = await carryOut(attempts);
      expect(done.filter(({ answer }) => OURS.test(answer.code)).map(show)).toEqual([]);
      const hostileKeys = (await redis.keys('*')).filter(
        (key) => !/^\{[a-z0-9]+\}[A-Za-z0-9._:@/-]*$/.test(key),
      );
      expect(hostileKeys).toEqual([]);
      expect(errorLines).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    'bytes that are no HTTP, on both ports',
    async () => {
      const openings = [
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
        'POST / HTTP/1.1\r\n',
        'GET /',
        '\u0016\u0003\u0001',
        '',
      ];
      const sent = Array.from({ length: 200 }, (_, index) => {
        const port = index % 2 === 0 ? product.grpcPort : product.httpPort;
        return shout(
          port,
          Buffer.concat([Buffer.from(dice.pick(openings), 'latin1'), bytes(dice, dice.between(0, 300))]),
        );
      });
      await Promise.all(sent);
      expect(errorLines).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    'afterwards the same processes serve, and ledger and archive agree',
    async () => {
      const { promotions } = await product.promotions.listPromotions({});
      expect(promotions).toBeInstanceOf(Array);
      const { code, output } = await product.audit();
      expect(code, output).toBe(0);
    },
    LIMIT_MS,
  );
});

/** Sends bytes and hangs up after the answer, or after a moment. */
async function shout(port: number, data: Buffer): Promise<void> {
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(data);
  await Promise.race([closed, sleep(200)]);
  socket.destroy();
}
