/** A no-op on bare node:http: reads the body and answers with the same bytes every time. */
import { createServer } from 'node:http';
import { announce, echoSettings } from './echo-process.ts';

const { answer } = echoSettings();
const headers = { 'content-type': 'application/proto', 'content-length': answer.length };

const server = createServer((request, response) => {
  request.on('data', () => undefined);
  request.on('end', () => {
    response.writeHead(200, headers);
    response.end(answer);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the echo has no port');
  announce(address.port);
});
