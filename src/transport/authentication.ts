/**
 * From the `authorization` header to an identity. A verified token is remembered by the header itself, so that a busy
 * caller costs one map look-up per call instead of a signature (0.25 ms).
 */
import { readFileSync } from 'node:fs';
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Config } from '../config/config.ts';
import { IDENTITY_KINDS, type Identity, type IdentityKind, SCOPES } from '../domain/identity.ts';
import { Refusal } from '../domain/refusal.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { AuthRejection } from '../telemetry/server-metrics.ts';
import { KeysUnavailableError, keyReader, parseKeySet, TokenKeys } from './jwks.ts';
import { EVERYTHING } from './policy.ts';

/** What a request says about its caller, as raw headers. */
export interface Credentials {
  readonly authorization: string | undefined;
  /** Header `x-hongbao-identity`; read only while the door is open in development. */
  readonly actAs: string | undefined;
  /** Who the client certificate of the connection stands for; a token goes before it. */
  readonly peer?: Identity | undefined;
}

/** Finds out who is calling. */
export interface Authenticator {
  /** The identity when it is known already; undefined asks for `verify`. */
  known(credentials: Credentials, nowMs: number): Identity | undefined;
  /** @throws Refusal UNAUTHENTICATED, or INTERNAL when the keys cannot be fetched. */
  verify(credentials: Credentials, nowMs: number): Promise<Identity>;
  /** Ends what runs beside calls. */
  stop(): void;
}

/** Asymmetric algorithms only: a public key can then never be taken for a shared secret. */
const ALGORITHMS = ['ES256', 'RS256', 'EdDSA'];
/** Remembered tokens; each takes about 2 kB. */
const REMEMBERED_TOKENS = 20_000;
/** A withdrawn key stops working within this time, even for tokens that are remembered. */
const REMEMBER_MS = 5 * 60_000;
/** Longest header that is looked at. */
const MAX_HEADER_LENGTH = 8192;
const MS_PER_SECOND = 1000;

type AuthConfig = Config['auth'];

/** The authenticator for the configuration. @throws when the file with the keys cannot be read, or holds no keys. */
export function createAuthenticator(config: AuthConfig, metrics: Metrics, logger: Logger): Authenticator {
  if (config.mode === 'off') return new OpenDoor();
  if (config.mode === 'certificates') return new CertificateAuthenticator(metrics);
  // A file is there from the start or never; an address may come up later than we do.
  if (config.jwksFile !== undefined) parseKeySet(readFileSync(config.jwksFile, 'utf8'));
  const keys = new TokenKeys({
    read: keyReader(config),
    refreshMs: config.jwksRefreshMs,
    cooldownMs: config.jwksCooldownMs,
    monotonicMs: () => performance.now(),
    changed: () => {
      metrics.authKeyReads.child('changed').value += 1;
      authenticator.forget();
    },
    failed: (error) => {
      metrics.authKeyReads.child('failed').value += 1;
      const reason = error instanceof Error ? error.message : '';
      logger.error({ event: LOG_EVENTS.keysUnavailable, reason }, 'The keys of tokens cannot be read');
    },
  });
  const authenticator = new TokenAuthenticator(config, keys.find, metrics, () => keys.stop());
  // Nobody waits for it: a call that comes before joins it.
  keys.load().catch(() => undefined);
  return authenticator;
}

/** Verifies JWTs of one issuer for one audience. */
export class TokenAuthenticator implements Authenticator {
  readonly #config: AuthConfig;
  readonly #keys: JWTVerifyGetKey;
  readonly #metrics: Metrics;
  readonly #remembered = new Map<string, { identity: Identity; untilMs: number }>();
  /** Verifications under way, so that a burst with one new token verifies it once. */
  readonly #pending = new Map<string, Promise<Identity>>();
  readonly #end: () => void;
  /** Rises when the keys change, so that what was verified by the old ones is not remembered after it. */
  #keysChanged = 0;

  constructor(
    config: AuthConfig,
    keys: JWTVerifyGetKey,
    metrics: Metrics,
    end: () => void = () => undefined,
  ) {
    this.#config = config;
    this.#keys = keys;
    this.#metrics = metrics;
    this.#end = end;
  }

  /** The keys are others now: every token is verified anew. */
  forget(): void {
    this.#keysChanged += 1;
    this.#remembered.clear();
  }

  stop(): void {
    this.#end();
  }

  known({ authorization, peer }: Credentials, nowMs: number): Identity | undefined {
    if (authorization === undefined) return peer;
    const entry = this.#remembered.get(authorization);
    return entry !== undefined && nowMs < entry.untilMs ? entry.identity : undefined;
  }

  async verify({ authorization }: Credentials, nowMs: number): Promise<Identity> {
    if (authorization === undefined) throw this.#reject('missing', 'A token is needed');
    const pending = this.#pending.get(authorization);
    if (pending !== undefined) return pending;
    const verification = this.#verifyHeader(authorization, nowMs);
    this.#pending.set(authorization, verification);
    return verification.finally(() => this.#pending.delete(authorization));
  }

  async #verifyHeader(header: string, nowMs: number): Promise<Identity> {
    const token = /^Bearer ([\w.-]+)$/i.exec(header)?.[1];
    if (token === undefined || header.length > MAX_HEADER_LENGTH) {
      throw this.#reject('malformed', 'The authorization header must be "Bearer" and a token');
    }
    const keysChanged = this.#keysChanged;
    const claims = await this.#verifyToken(token, nowMs);
    const identity = identityOf(claims);
    if (identity === undefined) throw this.#reject('no_identity', 'The token does not say who is calling');
    const untilMs = Math.min((claims.exp ?? 0) * MS_PER_SECOND, nowMs + REMEMBER_MS);
    if (keysChanged === this.#keysChanged) this.#remember(header, identity, untilMs);
    return identity;
  }

  async #verifyToken(token: string, nowMs: number): Promise<JWTPayload> {
    const { issuer = '', audience = '', clockToleranceSeconds } = this.#config;
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        algorithms: ALGORITHMS,
        issuer,
        audience,
        requiredClaims: ['exp', 'sub'],
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(nowMs),
      });
      return payload;
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** A token that is wrong is the caller's fault; keys that cannot be fetched are not. */
  #explain(cause: unknown): Refusal {
    if (cause instanceof errors.JWTExpired) return this.#reject('expired', 'The token has expired');
    const callersFault = cause instanceof errors.JOSEError && cause.code !== 'ERR_JOSE_GENERIC';
    if (callersFault && !(cause instanceof KeysUnavailableError))
      return this.#reject('invalid', 'The token is not valid here');
    this.#metrics.authRejections.child('keys_unavailable').value += 1;
    return new Refusal('INTERNAL', 'The token cannot be checked now', { cause });
  }

  #remember(header: string, identity: Identity, untilMs: number): void {
    if (this.#remembered.size >= REMEMBERED_TOKENS) {
      for (const oldest of this.#remembered.keys()) {
        this.#remembered.delete(oldest);
        break;
      }
    }
    // A copy: the header may be a part of a longer text, which it would keep in memory.
    this.#remembered.set(Buffer.from(header).toString(), { identity, untilMs });
  }

  #reject(reason: AuthRejection, message: string): Refusal {
    this.#metrics.authRejections.child(reason).value += 1;
    return new Refusal('UNAUTHENTICATED', message);
  }
}

/** End users' ids become part of keys, so they are held to the charset of ids; others only show in the audit log. */
const CLAIMS = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('end_user'), sub: z.string().regex(/^[A-Za-z0-9._:@-]{1,64}$/) }),
  z.object({
    kind: z.enum(IDENTITY_KINDS).exclude(['end_user']),
    sub: z.string().regex(/^[\x21-\x7e]{1,128}$/),
    scope: z.string().optional(),
  }),
]);

function identityOf(payload: JWTPayload): Identity | undefined {
  const claims = CLAIMS.safeParse(payload);
  if (!claims.success) return undefined;
  const { kind, sub } = claims.data;
  if (kind === 'end_user') return { kind, actor: sub, userId: sub, scopes: new Set() };
  const words = (claims.data.scope ?? '').split(' ');
  return { kind, actor: sub, scopes: new Set(words.filter((word) => Object.hasOwn(SCOPES, word))) };
}

const DEVELOPER: Identity = {
  kind: 'admin',
  actor: 'developer',
  scopes: new Set([...Object.keys(SCOPES), EVERYTHING]),
};

/** Knows callers by the certificate of their connection alone; tokens are not looked at. */
export class CertificateAuthenticator implements Authenticator {
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  known({ peer }: Credentials): Identity | undefined {
    return peer;
  }

  async verify(): Promise<Identity> {
    this.#metrics.authRejections.child('missing').value += 1;
    throw new Refusal('UNAUTHENTICATED', 'A client certificate that is known here is needed');
  }

  stop(): void {}
}

/** Lets everybody in as a developer, or as who `x-hongbao-identity: <kind>:<name>` says. Embedded development only. */
export class OpenDoor implements Authenticator {
  known({ actAs }: Credentials): Identity | undefined {
    return actAs === undefined ? DEVELOPER : undefined;
  }

  async verify({ actAs = '' }: Credentials): Promise<Identity> {
    const [, kind = '', name = ''] = /^(\w+):([A-Za-z0-9._:@-]{1,64})$/.exec(actAs) ?? [];
    if (!isKind(kind)) {
      throw new Refusal(
        'UNAUTHENTICATED',
        'x-hongbao-identity must be a kind and a name, such as end_user:alice',
      );
    }
    if (kind === 'end_user') return { kind, actor: name, userId: name, scopes: new Set() };
    return { kind, actor: name, scopes: new Set(Object.keys(SCOPES)) };
  }

  stop(): void {}
}

function isKind(word: string): word is IdentityKind {
  return IDENTITY_KINDS.some((kind) => kind === word);
}
