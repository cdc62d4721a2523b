/** Tokens for a run: a key made at its start, a key set on disk for the service to read, one token per caller. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** Issuer and audience the service is told to expect. */
export const ISSUER = 'https://bench.hongbao.invalid';
export const AUDIENCE = 'hongbao';

const KEY_ID = 'bench';

/** Longer than any run. */
const LIFETIME = '6h';

/** What callers of a run show. */
export interface Tokens {
  readonly keySetFile: string;
  /** A claim gateway: may claim for any user. */
  readonly gateway: string;
  /** A checkout: may have carts evaluated, with facts and wallets of its own telling. */
  readonly checkout: string;
  /** A checkout: may reserve and commit for any user. */
  readonly orders: string;
  /** A shop: may buy coupons with users' points. */
  readonly points: string;
  /** A shop: may tell what happened. */
  readonly events: string;
  /** Staff: may define promotions and read their figures. */
  readonly admin: string;
}

/** Makes the key, writes the key set into `directory` and signs the tokens. */
export async function makeTokens(directory: string): Promise<Tokens> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const keySetFile = join(directory, 'keys.json');
  const key = { ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'ES256', use: 'sig' };
  await writeFile(keySetFile, JSON.stringify({ keys: [key] }));
  const sign = (claims: Record<string, string>, subject: string): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: KEY_ID })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(subject)
      .setIssuedAt()
      .setExpirationTime(LIFETIME)
      .sign(privateKey);
  return {
    keySetFile,
    gateway: await sign(
      { kind: 'service', scope: 'coupons:claim coupons:read facts:assert' },
      'claim-gateway',
    ),
    checkout: await sign({ kind: 'service', scope: 'carts:evaluate carts:replay facts:assert' }, 'checkout'),
    orders: await sign({ kind: 'service', scope: 'orders:redeem' }, 'checkout'),
    points: await sign({ kind: 'service', scope: 'points:exchange' }, 'shop'),
    events: await sign({ kind: 'service', scope: 'events:write' }, 'shop'),
    admin: await sign({ kind: 'admin' }, 'bench'),
  };
}
