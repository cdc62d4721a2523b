/** One call of a webhook: a signed POST that follows no redirect, waits a bounded time and reads a bounded answer. */
import { createHmac } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { WEBHOOK_ANSWER_BYTES, WEBHOOK_ERROR_LENGTH, WEBHOOK_TIMEOUT_MS } from './limits.ts';
import { lookUpPublic, requireAddress, type WebhookReach } from './webhook-address.ts';

/** What is posted. */
export interface WebhookCall {
  readonly url: string;
  /** The secret of the signature, as its owner has it. */
  readonly secret: string;
  /** Names the call; the same for every attempt. */
  readonly id: string;
  readonly timestampSeconds: number;
  readonly body: string;
}

const SECRET_PREFIX = 'whsec_';
const MS_PER_SECOND = 1_000;

/** The bytes of a secret: after the usual prefix they are base64, otherwise the text itself. */
function secretBytes(secret: string): Buffer {
  return secret.startsWith(SECRET_PREFIX)
    ? Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64')
    : Buffer.from(secret, 'utf8');
}

/** The signature of a call by the Standard Webhooks convention: HMAC-SHA256 over id, timestamp and body. */
export function signatureOf({
  id,
  timestampSeconds,
  body,
  secret,
}: Pick<WebhookCall, 'id' | 'timestampSeconds' | 'body' | 'secret'>): string {
  const hmac = createHmac('sha256', secretBytes(secret)).update(`${id}.${timestampSeconds}.${body}`);
  return `v1,${hmac.digest('base64')}`;
}

function headersOf(call: WebhookCall): Record<string, string> {
  return {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(call.body)),
    'user-agent': 'hongbao-webhook/1',
    'webhook-id': call.id,
    'webhook-timestamp': String(call.timestampSeconds),
    'webhook-signature': signatureOf(call),
  };
}

/** Posts; undefined when the other side answered with a 2xx status, otherwise why it counts as failed. Never throws. */
export async function postWebhook(
  call: WebhookCall,
  reach: WebhookReach,
  timeoutMs: number = WEBHOOK_TIMEOUT_MS,
): Promise<string | undefined> {
  try {
    const url = requireAddress(call.url, reach);
    const status = await send(url, call, reach, timeoutMs);
    return status >= 200 && status < 300 ? undefined : `status ${status}`;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return reason.slice(0, WEBHOOK_ERROR_LENGTH);
  }
}

async function send(url: URL, call: WebhookCall, reach: WebhookReach, timeoutMs: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const options = {
    method: 'POST',
    headers: headersOf(call),
    agent: false,
    ...(reach === 'public' && { lookup: lookUpPublic }),
  };
  const open = url.protocol === 'https:' ? requestHttps : requestHttp;
  const outgoing: ClientRequest = open(url, options, (answer) => read(answer, resolve, reject));
  const timer = setTimeout(
    () => outgoing.destroy(new Error(`no answer within ${timeoutMs / MS_PER_SECOND} s`)),
    timeoutMs,
  );
  outgoing.on('error', reject);
  outgoing.end(call.body);
  return await promise.finally(() => {
    clearTimeout(timer);
    outgoing.destroy();
  });
}

/** The status counts once the answer has ended, or as much of it was read as is ever read. */
function read(
  answer: IncomingMessage,
  resolve: (status: number) => void,
  reject: (error: Error) => void,
): void {
  let bytes = 0;
  const done = (): void => resolve(answer.statusCode ?? 0);
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes >= WEBHOOK_ANSWER_BYTES) done();
  });
  answer.on('end', done);
  answer.on('error', reject);
}
