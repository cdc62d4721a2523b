import { once } from 'node:events';
import {
  connect,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StreamTable, useStreamTable } from './stream-table.ts';

type Step = readonly ['set' | 'delete', number];
const steps = fc.array(fc.tuple(fc.constantFrom('set', 'delete'), fc.nat(12)) as fc.Arbitrary<Step>);

function everyOf(table: StreamTable | Map<number, object>): unknown[] {
  const seen: [number, object][] = [];
  table.forEach((stream, id) => {
    seen.push([id, stream]);
  });
  return seen.toSorted(([left], [right]) => left - right);
}

test('answers as a Map does', () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const [table, map] = [new StreamTable(), new Map<number, object>()];
      for (const [what, id] of taken) {
        if (what === 'delete') expect(table.delete(id)).toBe(map.delete(id));
        else {
          const stream = { id };
          table.set(id, stream);
          map.set(id, stream);
        }
        expect(table.size).toBe(map.size);
        expect(table.get(id)).toBe(map.get(id));
      }
      expect(everyOf(table)).toEqual(everyOf(map));
    }),
  );
});

test('a visit leaves out what is deleted meanwhile', () => {
  const table = new StreamTable().set(1, { id: 1 }).set(3, { id: 3 }).set(5, { id: 5 });
  const seen: number[] = [];
  table.forEach((_stream, id) => {
    seen.push(id);
    table.delete(3);
    table.set(7, { id: 7 });
  });
  expect(seen).toEqual([1, 5]);
});

const server = createServer();
let port: number;
beforeAll(async () => {
  server.on('session', (session) => sessions.push([session, useStreamTable(session)]));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => server.close());
const sessions: [ServerHttp2Session, boolean][] = [];

test('this version of node uses it: streams are found, and end with their connection', async () => {
  const closed: Promise<unknown>[] = [];
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    if (headers[':path'] === '/endless') closed.push(once(stream, 'close'));
    else {
      stream.respond({ ':status': 200 });
      stream.end('answer');
    }
  });
  const client = connect(`http://127.0.0.1:${port}`);
  const endless = client.request({ ':path': '/endless' }, { endStream: false });
  endless.on('error', () => undefined);
  for (let call = 0; call < 100; call += 1) {
    const request = client.request({ ':path': '/' });
    request.setEncoding('utf8');
    expect(await once(request, 'data')).toEqual(['answer']);
  }
  expect(sessions.map(([, isUsed]) => isUsed)).toEqual([true]);
  expect(closed).toHaveLength(1);
  sessions[0]?.[0].destroy();
  await Promise.all(closed);
  client.destroy();
});

test('a session that is made otherwise is left as it is', () => {
  for (const state of [undefined, {}, { streams: new Map([[1, {}]]) }, { streams: [] }]) {
    const session = Object.assign({}, { [Symbol('state')]: state });
    expect(useStreamTable(session as unknown as ServerHttp2Session)).toBe(false);
  }
});
