/** Which web pages may call the service. Without configuration, none. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { cors } from '@connectrpc/connect';

const ALLOWED_HEADERS = [
  ...cors.allowedHeaders,
  'authorization',
  'accept-language',
  'x-hongbao-identity',
  'traceparent',
  'tracestate',
].join(', ');
const ALLOWED_METHODS = cors.allowedMethods.join(', ');
const EXPOSED_HEADERS = cors.exposedHeaders.join(', ');
/** How long a browser may remember the answer of a preflight request; the longest that browsers honour. */
const MAX_AGE_SECONDS = 7200;

/**
 * Adds the headers that let an allowed page read the answer. Tells whether the request was only a question (preflight), which is
 * answered here.
 */
export function applyCors(
  request: IncomingMessage,
  response: ServerResponse,
  origins: readonly string[],
): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return false;
  response.setHeader('vary', 'origin');
  if (origins.includes(origin) || origins.includes('*')) {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-expose-headers', EXPOSED_HEADERS);
  }
  if (request.method !== 'OPTIONS') return false;
  response.setHeader('access-control-allow-methods', ALLOWED_METHODS);
  response.setHeader('access-control-allow-headers', ALLOWED_HEADERS);
  response.setHeader('access-control-max-age', MAX_AGE_SECONDS);
  response.writeHead(204).end();
  return true;
}
