import { EventEmitter } from 'node:events';
import { Server } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { takeStreams } from './unary-streams.ts';

/** A server whose inside is as told. */
function serverWith(inside: object): Server {
  return Object.assign(new Server(), inside);
}

test('a server that is made differently inside is not used', () => {
  const listening = new EventEmitter().on('stream', () => undefined);
  for (const inside of [
    { http2Servers: undefined },
    { http2Servers: new Map() },
    { http2Servers: new Map([[{}, 1]]) },
    { http2Servers: new Map([[new EventEmitter(), 1]]) },
    { http2Servers: new Map([[listening, 1]]), onStreamOpened: undefined },
    {
      http2Servers: new Map([
        [listening, 1],
        [new EventEmitter(), 2],
      ]),
    },
  ])
    expect(() => takeStreams(serverWith(inside), () => true)).toThrow('@grpc/grpc-js is made differently');
});

test('what is taken is noted as open, what is left is served as before', () => {
  const connections = new EventEmitter();
  const served: unknown[] = [];
  const opened: unknown[] = [];
  connections.on('stream', (...given) => served.push(given));
  const server = serverWith({
    http2Servers: new Map([[connections, 1]]),
    onStreamOpened: (stream: unknown) => opened.push(stream),
  });
  takeStreams(server, (_stream, headers) => headers[':path'] === '/ours');
  connections.emit('stream', 'a', { ':path': '/ours' }, 1, []);
  connections.emit('stream', 'b', { ':path': '/health' }, 2, ['raw']);
  expect(opened).toEqual(['a']);
  expect(served).toEqual([['b', { ':path': '/health' }, 2, ['raw']]]);
});
