import { setTimeout as sleep } from 'node:timers/promises';

/** A JSON object whose fields are not known yet. */
export type JsonObject = { readonly [field: string]: unknown };

/** How often a call whose outcome is unknown is made again, with the same request id, and the pause between. */
const ATTEMPTS = 600;
const PAUSE_MS = 100;

/** Answers that mean "unknown, ask again with the same request id". */
const RETRIED_CODES = new Set(['unavailable', 'deadline_exceeded', 'aborted']);

/** The service refused a call. `code` is Connect's name of the status, such as `not_found`. */
export class ServiceError extends Error {
  readonly code: string;
  constructor(url: string, code: string, message: string) {
    super(`${new URL(url).pathname}: ${code}: ${message}`);
    this.name = 'ServiceError';
    this.code = code;
  }

  /** Whether the answer means "unknown, ask again with the same request id". */
  get isOutcomeUnknown(): boolean {
    return RETRIED_CODES.has(this.code);
  }
}

/** Whether a value is a JSON object, and neither a list nor null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Calls a unary method the way any web page would: a POST of JSON. Asks again while the outcome is unknown, so
 * `request` must carry a request id when it writes. Throws {@link ServiceError} when the call is refused.
 */
export async function callJson(url: string, request: JsonObject, signal: AbortSignal): Promise<JsonObject> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await callOnce(url, request, signal);
    } catch (error) {
      const mayRetry = error instanceof ServiceError && error.isOutcomeUnknown;
      if (!mayRetry || attempt === ATTEMPTS) throw error;
      await sleep(PAUSE_MS, undefined, { signal });
    }
  }
}

async function callOnce(url: string, request: JsonObject, signal: AbortSignal): Promise<JsonObject> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
    signal,
  });
  const text = await response.text();
  const answer = parseObject(text);
  if (response.ok && answer !== undefined) return answer;
  const code = typeof answer?.code === 'string' ? answer.code : `http_${response.status}`;
  throw new ServiceError(url, code, JSON.stringify(answer ?? text));
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
