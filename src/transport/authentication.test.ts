import { createHmac } from 'node:crypto';
import {
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JWTPayload,
  type JWTVerifyGetKey,
  SignJWT,
} from 'jose';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { readConfig } from '../config/config.ts';
import { Refusal } from '../domain/refusal.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { OpenDoor, TokenAuthenticator } from './authentication.ts';
import { allows, POLICIES } from './policy.ts';

const NOW_MS = 1_800_000_000_000;
const NOW_S = NOW_MS / 1000;
const config = {
  ...readConfig('health', {}).auth,
  issuer: 'https://issuer.test',
  audience: 'hongbao',
};
const GOOD = { iss: 'https://issuer.test', aud: 'hongbao', sub: 'alice', kind: 'end_user', exp: NOW_S + 600 };

let pair: Awaited<ReturnType<typeof generateKeyPair>>;
let stranger: Awaited<ReturnType<typeof generateKeyPair>>;
let keys: JWTVerifyGetKey;
beforeAll(async () => {
  pair = await generateKeyPair('ES256');
  stranger = await generateKeyPair('ES256');
  keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(pair.publicKey)), alg: 'ES256', kid: 'k1' }] });
});

function setUp(source: JWTVerifyGetKey = keys) {
  const metrics = createMetrics({ version: 'test', node: 'test' });
  return { authenticator: new TokenAuthenticator(config, source, metrics), metrics };
}

async function headerFor(
  claims: JWTPayload,
  key = pair.privateKey,
  header: Record<string, string> = {},
): Promise<string> {
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header })
    .sign(key);
  return `Bearer ${token}`;
}

const credentials = (authorization: string | undefined) => ({ authorization, actAs: undefined });

/** The reason a header is refused with, and the counter that rose. */
async function refusalOf(authorization: string | undefined, source?: JWTVerifyGetKey): Promise<unknown[]> {
  const { authenticator, metrics } = setUp(source);
  const error: unknown = await authenticator
    .verify(credentials(authorization), NOW_MS)
    .catch((cause: unknown) => cause);
  const all = [...metrics.authRejections.entries()];
  const counted = all.filter(({ child }) => child.value > 0).map(({ labels }) => labels[0]);
  return [error instanceof Refusal ? error.reason : error, ...counted];
}

const unsigned = (header: object, claims: object) =>
  [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');

// SPEC S1
describe('tokens that are taken', () => {
  test('an end user is the user', async () => {
    const { authenticator } = setUp();
    const identity = await authenticator.verify(credentials(await headerFor(GOOD)), NOW_MS);
    expect(identity).toEqual({ kind: 'end_user', actor: 'alice', userId: 'alice', scopes: new Set() });
  });

  test('a service has the scopes we know, and no other', async () => {
    const claims = {
      ...GOOD,
      sub: 'gateway',
      kind: 'service',
      scope: 'coupons:claim openid development:everything',
    };
    const identity = await setUp().authenticator.verify(credentials(await headerFor(claims)), NOW_MS);
    expect(identity).toEqual({ kind: 'service', actor: 'gateway', scopes: new Set(['coupons:claim']) });
  });

  test('an end user gets no scope', async () => {
    const header = await headerFor({ ...GOOD, scope: 'facts:assert' });
    expect((await setUp().authenticator.verify(credentials(header), NOW_MS)).scopes.size).toBe(0);
  });

  test('within the tolerance of clocks', async () => {
    const header = await headerFor({ ...GOOD, exp: NOW_S - 29, nbf: NOW_S + 29 });
    expect((await setUp().authenticator.verify(credentials(header), NOW_MS)).actor).toBe('alice');
  });
});

describe('tokens that are refused', () => {
  test.each([
    ['none', undefined, 'missing'],
    ['no scheme', 'abc', 'malformed'],
    ['another scheme', 'Basic YWxpY2U6YWxpY2U=', 'malformed'],
    ['not a token', 'Bearer abc', 'invalid'],
    ['far too long', `Bearer ${'a'.repeat(9000)}`, 'malformed'],
    ['no signature at all', `Bearer ${unsigned({ alg: 'none' }, GOOD)}.`, 'invalid'],
  ])('%s', async (_title, header, counted) => {
    expect(await refusalOf(header)).toEqual(['UNAUTHENTICATED', counted]);
  });

  test.each([
    ['another issuer', { iss: 'https://other.test' }, 'invalid'],
    ['another audience', { aud: 'other' }, 'invalid'],
    ['expired', { exp: NOW_S - 31 }, 'expired'],
    ['without an end', { exp: undefined }, 'invalid'],
    ['not valid yet', { nbf: NOW_S + 31 }, 'invalid'],
    ['nobody', { sub: undefined }, 'invalid'],
    ['a user whose id could be part of another key', { sub: 'alice}{bob' }, 'no_identity'],
    ['a user whose id is too long', { sub: 'a'.repeat(65) }, 'no_identity'],
    ['no kind', { kind: undefined }, 'no_identity'],
    ['an unknown kind', { kind: 'root' }, 'no_identity'],
  ])('%s', async (_title, change: object, counted) => {
    expect(await refusalOf(await headerFor({ ...GOOD, ...change }))).toEqual(['UNAUTHENTICATED', counted]);
  });

  test('signed by a stranger, or with a key id that is a path', async () => {
    expect(await refusalOf(await headerFor(GOOD, stranger.privateKey))).toEqual([
      'UNAUTHENTICATED',
      'invalid',
    ]);
    const path = await headerFor(GOOD, stranger.privateKey, { kid: '../../etc/passwd' });
    expect(await refusalOf(path)).toEqual(['UNAUTHENTICATED', 'invalid']);
  });

  test('the public key used as a shared secret', async () => {
    const body = unsigned({ alg: 'HS256', kid: 'k1' }, GOOD);
    const secret = JSON.stringify(await exportJWK(pair.publicKey));
    const signature = createHmac('sha256', secret).update(body).digest('base64url');
    expect(await refusalOf(`Bearer ${body}.${signature}`)).toEqual(['UNAUTHENTICATED', 'invalid']);
  });

  test('keys that cannot be fetched are not the fault of the caller', async () => {
    const unreachable: JWTVerifyGetKey = async () => {
      throw new TypeError('fetch failed');
    };
    expect(await refusalOf(await headerFor(GOOD), unreachable)).toEqual(['INTERNAL', 'keys_unavailable']);
  });
});

describe('remembering', () => {
  test('a token is verified once, however many calls come with it', async () => {
    const source = vi.fn(keys);
    const { authenticator } = setUp(source);
    const header = credentials(await headerFor(GOOD));
    expect(authenticator.known(header, NOW_MS)).toBeUndefined();
    const burst = await Promise.all(Array.from({ length: 20 }, () => authenticator.verify(header, NOW_MS)));
    expect(new Set(burst).size).toBe(1);
    expect(authenticator.known(header, NOW_MS)).toBe(burst[0]);
    expect(source).toHaveBeenCalledTimes(1);
  });

  test('not beyond its end, and not beyond five minutes', async () => {
    const { authenticator } = setUp();
    const short = credentials(await headerFor({ ...GOOD, exp: NOW_S + 10 }));
    await authenticator.verify(short, NOW_MS);
    expect(authenticator.known(short, NOW_MS + 9_999)).toBeDefined();
    expect(authenticator.known(short, NOW_MS + 10_000)).toBeUndefined();
    const long = credentials(await headerFor(GOOD));
    await authenticator.verify(long, NOW_MS);
    expect(authenticator.known(long, NOW_MS + 299_999)).toBeDefined();
    expect(authenticator.known(long, NOW_MS + 300_000)).toBeUndefined();
  });

  test('refused tokens are not remembered', async () => {
    const { authenticator } = setUp();
    const header = credentials(await headerFor({ ...GOOD, aud: 'other' }));
    await expect(authenticator.verify(header, NOW_MS)).rejects.toThrow(Refusal);
    expect(authenticator.known(header, NOW_MS)).toBeUndefined();
  });
});

describe('the open door of the development set-up', () => {
  const door = new OpenDoor();
  const as = (actAs: string | undefined) => ({ authorization: undefined, actAs });

  test('everybody is a developer who may call everything', () => {
    const developer = door.known(as(undefined));
    expect(developer).toMatchObject({ kind: 'admin', actor: 'developer' });
    for (const [name, policy] of Object.entries(POLICIES))
      expect(developer && allows(policy, developer), name).toBe(true);
  });

  test('a header lets a developer be somebody else', async () => {
    expect(door.known(as('end_user:alice'))).toBeUndefined();
    expect(await door.verify(as('end_user:alice'))).toEqual({
      kind: 'end_user',
      actor: 'alice',
      userId: 'alice',
      scopes: new Set(),
    });
    expect((await door.verify(as('service:gateway'))).scopes).toContain('coupons:claim');
  });

  test.each(['root:alice', 'end_user', 'end_user:', 'end_user:a b', ''])('"%s" is nobody', async (actAs) => {
    await expect(door.verify(as(actAs))).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
  });
});
