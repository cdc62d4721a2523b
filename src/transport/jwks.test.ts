// SPEC S1: keys of tokens are changed without a restart, withdrawn ones stop, and no token makes the service fetch at will.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { readConfig } from '../config/config.ts';
import { Refusal } from '../domain/refusal.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createAuthenticator } from './authentication.ts';
import { KeysUnavailableError, keyReader, parseKeySet, TokenKeys } from './jwks.ts';
import { MAX_KEYS_AGE_MS, MAX_KEYS_BYTES } from './security-limits.ts';

interface NamedPair {
  readonly kid: string;
  readonly jwk: object;
  readonly privateKey: CryptoKey;
}

async function pairNamed(kid: string): Promise<NamedPair> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  return { kid, jwk: { ...(await exportJWK(publicKey)), alg: 'ES256', kid }, privateKey };
}

let first: NamedPair;
let second: NamedPair;
beforeAll(async () => {
  first = await pairNamed('first');
  second = await pairNamed('second');
});

const setOf = (...pairs: NamedPair[]) => JSON.stringify({ keys: pairs.map(({ jwk }) => jwk) });
const nowS = () => Math.floor(Date.now() / 1000);
const tokenOf = ({ privateKey, kid }: NamedPair, named: string = kid) =>
  new SignJWT({ iss: 'i', aud: 'a', sub: 'alice', kind: 'end_user', exp: nowS() + 600 })
    .setProtectedHeader({ alg: 'ES256', kid: named })
    .sign(privateKey);

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** Keys that are read from `published`, by a clock of the test. */
function keysOf(published: { text: string | Error }) {
  const seen = { reads: 0, changes: 0, failures: 0, nowMs: 0 };
  const keys = new TokenKeys({
    read: async () => {
      seen.reads += 1;
      if (published.text instanceof Error) throw published.text;
      return published.text;
    },
    refreshMs: 1_000_000,
    cooldownMs: 30_000,
    monotonicMs: () => seen.nowMs,
    changed: () => {
      seen.changes += 1;
    },
    failed: () => {
      seen.failures += 1;
    },
  });
  stops.push(() => keys.stop());
  const verify = async (pair: NamedPair, named?: string) =>
    (await jwtVerify(await tokenOf(pair, named), keys.find)).payload.sub;
  return { keys, seen, verify };
}

describe('rotation', () => {
  test('a new key works at its first token; the old one works until it is withdrawn', async () => {
    const published = { text: setOf(first) };
    const { keys, seen, verify } = keysOf(published);
    expect(await verify(first)).toBe('alice');

    published.text = setOf(first, second);
    seen.nowMs = 30_000;
    expect(await verify(second)).toBe('alice');
    expect(await verify(first)).toBe('alice');

    published.text = setOf(second);
    await keys.load();
    await expect(verify(first)).rejects.toThrow(/no applicable key/);
    expect(await verify(second)).toBe('alice');
    expect(seen).toMatchObject({ changes: 2, failures: 0 });
  });

  test('a file that changes takes effect, and verified tokens are forgotten with their key', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'keys-')), 'keys.json');
    writeFileSync(file, setOf(first));
    const base = readConfig('health', {}).auth;
    const config = {
      ...base,
      issuer: 'i',
      audience: 'a',
      jwksFile: file,
      jwksRefreshMs: 50,
      jwksCooldownMs: 50,
    };
    const metrics = createMetrics({ version: 'test', node: 'test' });
    const authenticator = createAuthenticator(
      config,
      metrics,
      createLogger({ level: 'silent', role: 'test' }),
    );
    stops.push(() => authenticator.stop());
    const withToken = async (pair: NamedPair) => ({
      authorization: `Bearer ${await tokenOf(pair)}`,
      actAs: undefined,
    });
    const old = await withToken(first);
    await authenticator.verify(old, Date.now());
    expect(authenticator.known(old, Date.now())).toMatchObject({ actor: 'alice' });

    writeFileSync(file, setOf(second));
    await vi.waitFor(() => expect(authenticator.known(old, Date.now())).toBeUndefined(), { timeout: 5000 });
    const refusal: unknown = await authenticator.verify(old, Date.now()).catch((error: unknown) => error);
    expect(refusal instanceof Refusal && refusal.reason).toBe('UNAUTHENTICATED');
    expect(await authenticator.verify(await withToken(second), Date.now())).toMatchObject({ actor: 'alice' });
    expect(metrics.authKeyReads.child('changed').value).toBe(1);
  });
});

describe('unknown keys', () => {
  test('a flood of them reads the keys once in the cooldown', async () => {
    const { seen, verify } = keysOf({ text: setOf(first) });
    await verify(first);
    seen.nowMs = 30_000;
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => verify(second, `k${index}`).catch(() => 'refused')),
    );
    expect(seen.reads).toBe(2);
    seen.nowMs = 59_999;
    await expect(verify(second)).rejects.toThrow();
    expect(seen.reads).toBe(2);
    seen.nowMs = 60_000;
    await expect(verify(second)).rejects.toThrow();
    expect(seen.reads).toBe(3);
  });

  test.each(['../../../../etc/passwd', 'https://evil.example/keys.json', 'x'.repeat(10_000), "' OR 1=1 --"])(
    'a name such as %.40s names nothing, and is read nowhere',
    async (name) => {
      const { seen, verify } = keysOf({ text: setOf(first) });
      await expect(verify(first, name)).rejects.toThrow(/no applicable key/);
      expect(seen.reads).toBe(1);
    },
  );
});

describe('keys that cannot be read', () => {
  test('those there were go on, for an hour', async () => {
    const published: { text: string | Error } = { text: setOf(first) };
    const { keys, seen, verify } = keysOf(published);
    await verify(first);
    published.text = new Error('down');
    await keys.load();
    expect(await verify(first)).toBe('alice');
    seen.nowMs = MAX_KEYS_AGE_MS + 1;
    await expect(verify(first)).rejects.toThrow(KeysUnavailableError);
    published.text = setOf(first);
    seen.nowMs += 1000;
    expect(await verify(first)).toBe('alice');
  });

  test('with none at all they are asked for once a second', async () => {
    const { seen, verify } = keysOf({ text: new Error('down') });
    await Promise.all([verify(first), verify(first)].map((attempt) => attempt.catch(() => 'refused')));
    await expect(verify(first)).rejects.toThrow(KeysUnavailableError);
    expect(seen.reads).toBe(1);
    seen.nowMs = 1000;
    await expect(verify(first)).rejects.toThrow(KeysUnavailableError);
    expect(seen.reads).toBe(2);
  });
});

describe('a set of keys', () => {
  test.each([
    ['a shared secret', { kty: 'oct', k: 'c2VjcmV0' }],
    ['a private key', { kty: 'EC', crv: 'P-256', x: 'a', y: 'b', d: 'c' }],
    ['a key of an unknown kind', { kty: 'AKP' }],
    ['a name without end', { kty: 'EC', kid: 'x'.repeat(300) }],
  ])('with %s is refused as a whole', (_title, key) => {
    expect(() => parseKeySet(JSON.stringify({ keys: [first.jwk, key] }))).toThrow();
  });

  test('is bounded', () => {
    const many = { keys: Array.from({ length: 101 }, () => first.jwk) };
    expect(() => parseKeySet(JSON.stringify(many))).toThrow();
    expect(() => parseKeySet(' '.repeat(MAX_KEYS_BYTES + 1))).toThrow(/at most/);
    expect(createLocalJWKSet(parseKeySet(setOf(first)))).toBeTypeOf('function');
  });
});

describe('an address of keys', () => {
  async function served(answer: Parameters<typeof createServer>[1]) {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const config = { ...readConfig('health', {}).auth, jwksUrl: `http://127.0.0.1:${port}/keys` };
    return keyReader(config);
  }

  test('is read', async () => {
    const read = await served((_request, response) => response.end(setOf(first)));
    expect(await read()).toBe(setOf(first));
  });

  test.each([
    ['leads elsewhere', 302],
    ['fails', 500],
  ])('that %s is not followed', async (_title, status) => {
    const read = await served((request, response) => {
      if (request.url === '/keys') response.writeHead(status, { location: '/other' }).end();
      else response.end(setOf(first));
    });
    await expect(read()).rejects.toThrow();
  });

  test('that never ends is read no further than a set of keys may be', async () => {
    const read = await served((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    await expect(read()).rejects.toThrow(/at most/);
  });
});
