/**
 * The published keys that tokens are signed by, from a file or from an address. They are read again by a timer, and when a
 * token names a key that is not known, at most once in a while. What cannot be read leaves the keys there were, for a time.
 */
import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { Config } from '../config/config.ts';
import {
  FETCH_KEYS_TIMEOUT_MS,
  MAX_KEY_NAME_LENGTH,
  MAX_KEYS,
  MAX_KEYS_AGE_MS,
  MAX_KEYS_BYTES,
  NO_KEYS_PAUSE_MS,
} from './security-limits.ts';

/** Where keys come from, how often they are read, and who is told. */
export interface TokenKeysOptions {
  /** Gives the text of the key set. */
  readonly read: () => Promise<string>;
  readonly refreshMs: number;
  readonly cooldownMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonicMs: () => number;
  /** Another set of keys is in force. */
  readonly changed: () => void;
  /** The keys could not be read. */
  readonly failed: (error: unknown) => void;
}

/** The keys cannot be had: a fault of the service, not of the token. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';
}

/** Public keys alone: a secret or a private key in the set is a mistake that must not go unseen. */
const KEY = z
  .looseObject({
    kty: z.enum(['EC', 'RSA', 'OKP']),
    kid: z.string().max(MAX_KEY_NAME_LENGTH).optional(),
  })
  .refine((key) => !('d' in key || 'k' in key), { error: 'holds a key that is not public' });
const KEY_SET = z.object({ keys: z.array(KEY).min(1).max(MAX_KEYS) });

interface KeysInForce {
  readonly text: string;
  readonly find: JWTVerifyGetKey;
  readonly readAtMs: number;
}

/** Keeps the keys of one issuer. */
export class TokenKeys {
  readonly #options: TokenKeysOptions;
  readonly #timer: NodeJS.Timeout;
  #inForce: KeysInForce | undefined;
  #reading: Promise<void> | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: TokenKeysOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#refresh().catch(() => undefined), options.refreshMs);
    this.#timer.unref();
  }

  /** The key a token names. The name is compared with those of the set and used for nothing else. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const keys = await this.#current();
    try {
      return await keys.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !this.#mayAsk(this.#options.cooldownMs))
        throw error;
      await this.#refresh();
      return await (await this.#current()).find(header, token);
    }
  };

  /** Reads the keys now. @throws KeysUnavailableError */
  async load(): Promise<void> {
    await this.#refresh();
  }

  /** Reads no more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  async #current(): Promise<KeysInForce> {
    const { monotonicMs } = this.#options;
    const isOld = (keys: KeysInForce) => monotonicMs() - keys.readAtMs > MAX_KEYS_AGE_MS;
    if (this.#inForce !== undefined && !isOld(this.#inForce)) return this.#inForce;
    if (this.#reading !== undefined || this.#mayAsk(NO_KEYS_PAUSE_MS)) await this.#refresh();
    if (this.#inForce === undefined || isOld(this.#inForce))
      throw new KeysUnavailableError('the keys of tokens could not be read');
    return this.#inForce;
  }

  #mayAsk(pauseMs: number): boolean {
    return this.#options.monotonicMs() - this.#askedAtMs >= pauseMs;
  }

  #refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { read, monotonicMs, changed, failed } = this.#options;
    this.#askedAtMs = monotonicMs();
    try {
      const text = await read();
      const wasKnown = this.#inForce;
      const find = wasKnown?.text === text ? wasKnown.find : createLocalJWKSet(parseKeySet(text));
      this.#inForce = { text, find, readAtMs: monotonicMs() };
      if (wasKnown !== undefined && wasKnown.text !== text) changed();
    } catch (cause) {
      failed(cause);
      if (this.#inForce === undefined)
        throw new KeysUnavailableError('the keys of tokens could not be read', { cause });
    }
  }
}

/** A set of public keys. @throws when it is none, or holds too many keys, or secret ones. */
export function parseKeySet(text: string): Parameters<typeof createLocalJWKSet>[0] {
  if (text.length > MAX_KEYS_BYTES) throw new Error(`a set of keys has at most ${MAX_KEYS_BYTES} bytes`);
  const { keys } = KEY_SET.parse(JSON.parse(text));
  return { keys: keys.map(({ kid, ...key }) => ({ ...key, ...(kid !== undefined && { kid }) })) };
}

/** Reads the keys where the configuration says. */
export function keyReader({ jwksFile, jwksUrl }: Config['auth']): () => Promise<string> {
  if (jwksFile !== undefined) return () => readFile(jwksFile, 'utf8');
  if (jwksUrl === undefined) throw new Error('HONGBAO_AUTH_JWKS_URL or HONGBAO_AUTH_JWKS_FILE must be set');
  return () => fetchText(jwksUrl);
}

/** Follows no redirect, which could lead into the network of the service, and reads no more than a set of keys may have. */
async function fetchText(url: string): Promise<string> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(FETCH_KEYS_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`the keys of tokens were answered with status ${response.status}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_KEYS_BYTES) throw new Error(`a set of keys has at most ${MAX_KEYS_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
