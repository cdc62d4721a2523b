/**
 * Streams of HTTP/2 that are taken over before grpc-js serves them. It has no public place for that, so this is the one file that knows
 * how it is made inside; the version is pinned, and a server that is made differently does not start.
 */
import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { useStreamTable } from './stream-table.ts';

/** Takes a stream, or leaves it to grpc-js with `false`. */
export type TakeStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => boolean;

/**
 * Asks `take` about every stream of the connections of a server, which has one place where connections come in. Whoever takes one serves
 * it; age, idleness and end of connections stay with grpc-js. Throws Error when grpc-js is not made as this file expects.
 */
export function takeStreams(server: Server, take: TakeStream): void {
  const connections = connectionsOf(server);
  const [serve, ...others] = connections.listeners('stream');
  const noteOpened: unknown = Reflect.get(server, 'onStreamOpened');
  if (serve === undefined || others.length > 0 || typeof noteOpened !== 'function') throw unknownInside();
  connections.on('session', useStreamTable);
  connections.removeAllListeners('stream');
  connections.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest: unknown[]) => {
    // A connection on which only such streams come is not idle.
    if (take(stream, headers)) noteOpened.call(server, stream);
    else serve.call(connections, stream, headers, ...rest);
  });
}

function connectionsOf(server: Server): EventEmitter {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  const [only, ...others]: unknown[] = servers instanceof Map ? [...servers.keys()] : [];
  if (!(only instanceof EventEmitter) || others.length > 0) throw unknownInside();
  return only;
}

function unknownInside(): Error {
  return new Error(
    'this version of @grpc/grpc-js is made differently from 1.14: see src/transport/unary-streams.ts',
  );
}
