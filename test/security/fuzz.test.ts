/**
 * Every method on every way in, given what no client sends: no crash, no internal error, no key that is not ours. The
 * seed is in every failure; put it into `SEED` of `fuzzed-product.ts` to see the same again.
 */
// SPEC S1; F30
import { connect as connectTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  carryOut,
  dice,
  type FuzzedProduct,
  LIMIT_MS,
  METHODS,
  onEveryWay,
  seed,
  startFuzzedProduct,
  unforeseen,
} from './fuzzed-product.ts';
import { brokenJson, bytes, HOSTILE_TEXTS, randomMessage } from './random-request.ts';

/** Requests of each method on each way in. */
const PLAUSIBLE_PER_WAY = 2;
/** Hostile texts tried in each text field; over the runs all of them. */
const TEXTS_PER_FIELD = 10;

let fuzzed: FuzzedProduct;

beforeAll(async () => {
  fuzzed = await startFuzzedProduct();
}, LIMIT_MS);
afterAll(() => fuzzed.close());

describe(`seed ${seed}`, () => {
  test(
    'requests that are nearly right, with hostile texts in them',
    async () => {
      const attempts = METHODS.flatMap((method) => {
        const body = () => Buffer.from(toBinary(method.input, randomMessage(dice, method.input, 0.15)));
        const json = () => Buffer.from(brokenJson(dice, method.input));
        return onEveryWay(fuzzed.ways, method, { bodies: body, json, times: PLAUSIBLE_PER_WAY });
      });
      const done = await carryOut(attempts);
      expect(unforeseen(done)).toEqual([]);
      expect(fuzzed.errorLines).toEqual([]);
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
            const call = fuzzed.ways.binary['gRPC'];
            if (call === undefined) throw new Error('there is no gRPC');
            return { method, way: 'gRPC', call, body: Buffer.from(toBinary(method.input, message)) };
          }),
        );
      });
      const done = await carryOut(attempts);
      expect(unforeseen(done)).toEqual([]);
      const hostileKeys = (await fuzzed.redis.keys('*')).filter(
        (key) => !/^\{[a-z0-9]+\}[A-Za-z0-9._:@/-]*$/.test(key),
      );
      expect(hostileKeys).toEqual([]);
      expect(fuzzed.errorLines).toEqual([]);
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
        const port = index % 2 === 0 ? fuzzed.product.grpcPort : fuzzed.product.httpPort;
        return shout(
          port,
          Buffer.concat([Buffer.from(dice.pick(openings), 'latin1'), bytes(dice, dice.between(0, 300))]),
        );
      });
      await Promise.all(sent);
      expect(fuzzed.errorLines).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    'afterwards the same processes serve, and ledger and archive agree',
    async () => {
      const { promotions } = await fuzzed.product.promotions.listPromotions({});
      expect(promotions).toBeInstanceOf(Array);
      const { code, output } = await fuzzed.product.audit();
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
