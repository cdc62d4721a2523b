// SPEC C2: plain calls over HTTP, however their bodies come.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { DirectRequest } from './direct-request.ts';
import { closeServer, listen } from './http-server.ts';

type Serve = (request: DirectRequest, response: ServerResponse) => void;

const open: AsyncDisposableStack[] = [];
afterEach(async () => {
  for (const stack of open.splice(0)) await stack.disposeAsync();
});

/** A connection to a server of such requests. */
async function connectTo(serve: Serve): Promise<Socket> {
  const server = createServer({ IncomingMessage: DirectRequest }, serve);
  const socket = connect(await listen(server, { host: '127.0.0.1', port: 0 }), '127.0.0.1');
  await once(socket, 'connect');
  const stack = new AsyncDisposableStack();
  stack.defer(() => closeServer(server));
  stack.defer(() => void socket.destroy());
  open.push(stack);
  return socket;
}

/** Answers with the body, of which every chunk is kept apart. */
const echo: Serve = (request, response) => {
  const chunks: string[] = [];
  request.readInto({
    take: (chunk) => chunks.push(chunk.toString()),
    end: () => response.end(chunks.join('|')),
  });
};

function head(length: number): string {
  return `POST / HTTP/1.1\r\nhost: test\r\ncontent-length: ${length}\r\n\r\n`;
}

/** What comes back until the text ends with this. */
function answerOf(socket: Socket, ending: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  const read = (bytes: Buffer): void => {
    text += bytes.toString();
    if (!text.endsWith(ending)) return;
    socket.off('data', read);
    resolve(text);
  };
  socket.on('data', read);
  return promise;
}

test('a body that comes with its header is taken at once', async () => {
  const socket = await connectTo(echo);
  socket.write(`${head(5)}hello`);
  expect(await answerOf(socket, 'hello')).toContain('200 OK');
});

test('no body at all ends at once', async () => {
  const socket = await connectTo(echo);
  socket.write(head(0));
  expect(await answerOf(socket, '\r\n\r\n')).toContain('Content-Length: 0');
});

test('a body in pieces comes piece by piece', async () => {
  const socket = await connectTo((request, response) => {
    echo(request, response);
    socket.write('hel');
    request.socket.once('data', () => socket.write('lo'));
  });
  socket.write(head(5));
  expect(await answerOf(socket, 'hel|lo')).toContain('200 OK');
});

test('what has come before it is asked for is not lost', async () => {
  const socket = await connectTo(async (request, response) => {
    while (!request.complete) await turn();
    echo(request, response);
  });
  socket.write(`${head(5)}hello`);
  expect(await answerOf(socket, 'hello')).toContain('200 OK');
});

test('nor is it when only a part has come', async () => {
  const socket = await connectTo(async (request, response) => {
    while (request.readableLength === 0) await turn();
    echo(request, response);
    socket.write('lo');
  });
  socket.write(`${head(5)}hel`);
  expect(await answerOf(socket, 'hel|lo')).toContain('200 OK');
});

test('one connection serves one request after the other, those sent ahead too', async () => {
  const socket = await connectTo(echo);
  for (const word of ['one', 'two']) {
    socket.write(`${head(3)}${word}`);
    expect(await answerOf(socket, word)).toContain('200 OK');
  }
  socket.write(`${head(5)}three${head(4)}four`);
  expect(await answerOf(socket, 'four')).toMatch(/200 OK.*three.*200 OK.*four$/s);
});

test('a client that asks first is told to go on', async () => {
  const socket = await connectTo(echo);
  socket.write(head(5).replace('\r\n\r\n', '\r\nexpect: 100-continue\r\n\r\n'));
  expect(await answerOf(socket, '\r\n\r\n')).toContain('100 Continue');
  socket.write('hello');
  expect(await answerOf(socket, 'hello')).toContain('200 OK');
});

test('without a sink it is a stream as any other', async () => {
  const socket = await connectTo((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => response.end(Buffer.concat(chunks)));
  });
  socket.write(`${head(6)}stream`);
  expect(await answerOf(socket, 'stream')).toContain('200 OK');
});

test('a connection that breaks within the body ends nothing and closes the answer', async () => {
  let ended = false;
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const socket = await connectTo((request, response) => {
    request.readInto({
      take: () => socket.destroy(),
      end: () => {
        ended = true;
      },
    });
    response.on('close', resolve);
  });
  socket.write(`${head(5)}hel`);
  await closed;
  expect(ended).toBe(false);
});
