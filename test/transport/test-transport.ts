/** A whole transport on free ports with handlers made for tests, and the tokens to call it. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, type DescMethod, type DescMethodUnary, fromBinary, toBinary } from '@bufbuild/protobuf';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { readConfig } from '../../src/config/config.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import {
  ClaimCouponRequestSchema,
  ClaimCouponResponseSchema,
  CouponService,
} from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { PromotionService } from '../../src/gen/hongbao/v1/promotion_service_pb.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import {
  type Binding,
  type HotHandler,
  hot,
  type StreamHandler,
  type StreamMethod,
  stream,
  unary,
} from '../../src/transport/binding.ts';
import type { CallContext } from '../../src/transport/call-context.ts';
import { SERVICES } from '../../src/transport/services.ts';
import { type Addresses, createTransport, type Transport } from '../../src/transport/transport.ts';

/** The issuer of the tests' tokens. */
export const ISSUER = 'https://issuer.test';
/** The audience of the tests' tokens. */
export const AUDIENCE = 'hongbao-test';

/** The facts under which tests call: local epoch milliseconds that never move. */
export const NOW_MS = Date.now();

/** What the handlers do for a promotion id, the same on the hot and on the ordinary path. */
export const BEHAVIOURS: Readonly<Record<string, () => never>> = {
  'sold-out': () => {
    throw new Refusal('SOLD_OUT', 'Nothing is left', { metadata: { quantity: '10000', issued: '10000' } });
  },
  missing: () => {
    throw new Refusal('PROMOTION_NOT_FOUND', 'There is no such promotion');
  },
  overloaded: () => {
    throw new Refusal('LEDGER_OVERLOADED', 'Too many claims are waiting');
  },
  broken: () => {
    throw new TypeError('secret detail of a bug');
  },
};

/** Never answers. */
export const SILENT = 'silent';

/** Decides as `BEHAVIOURS` says; otherwise answers with what the handler was told about the call. */
const claim: HotHandler = (bytes, context, reply) => {
  const { promotionId, userId } = fromBinary(ClaimCouponRequestSchema, bytes);
  if (promotionId === SILENT) return;
  try {
    BEHAVIOURS[promotionId]?.();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return reply(error);
  }
  const response = create(ClaimCouponResponseSchema, { couponId: told(context), promotionId: userId });
  reply(toBinary(ClaimCouponResponseSchema, response));
};

/** The circumstances a handler sees, as text: who, and how many milliseconds it has. */
export function told({ identity, deadlineMs, nowMs }: CallContext): string {
  return `${identity.kind}:${identity.actor}:${identity.userId ?? ''}:${deadlineMs - nowMs}`;
}

const getPromotion = unary(PromotionService.method.getPromotion, async ({ promotionId }, context) => {
  if (promotionId === SILENT) await new Promise(() => {});
  BEHAVIOURS[promotionId]?.();
  return { promotion: { promotionId: told(context) } };
});

/** Sends every message back, one at a time. */
export const echo: StreamHandler = async (requests, _context, write) => {
  for await (const message of requests) await write(message);
};

/** One handler per method of the contract; those that are not given answer with an empty message. */
export function testBindings(overrides: readonly Binding[] = []): Binding[] {
  const own = [hot(CouponService.method.claimCoupon, claim), getPromotion, ...overrides];
  return SERVICES.flatMap((service) => service.methods).map((method) => {
    const given = own.findLast((binding) => binding.method === method);
    if (given !== undefined) return given;
    if (isStream(method)) return stream(method, echo);
    if (isUnary(method)) return empty(method);
    throw new Error(`${method.name}: no such kind of method is served`);
  });
}

function isStream(method: DescMethod): method is StreamMethod {
  return method.methodKind === 'bidi_streaming' || method.methodKind === 'server_streaming';
}

/** Whether the method takes one message and answers one. */
export function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary';
}

/** Answers at once, without looking at the request: who may call is what is tested. */
function empty(method: DescMethodUnary): Binding {
  return hot(method, (_bytes, _context, reply) => reply(new Uint8Array()));
}

/** A running transport. */
export interface TestTransport {
  readonly transport: Transport;
  readonly addresses: Addresses;
  readonly metrics: Metrics;
  readonly logLines: readonly string[];
  /** Makes a token; signs with the key of the transport unless told otherwise. */
  token(claims: JWTPayload): Promise<string>;
  setReady(ready: boolean): void;
}

/** What a test may change. */
export interface TestTransportOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly bindings?: readonly Binding[];
  readonly clock?: () => number;
}

/** Starts a transport. The caller stops it. */
export async function startTestTransport(options: TestTransportOptions = {}): Promise<TestTransport> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keys = { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'test' }] };
  const keysFile = join(mkdtempSync(join(tmpdir(), 'transport-')), 'keys.json');
  writeFileSync(keysFile, JSON.stringify(keys));
  const metrics = createMetrics({ version: 'test', node: process.version });
  const logLines: string[] = [];
  let ready = true;
  const transport = createTransport({
    config: readConfig('serve', { ...environmentFor(keysFile), ...options.environment }),
    metrics,
    logger: createLogger({ level: 'debug', role: 'test' }, { write: (line) => logLines.push(line) }),
    services: SERVICES,
    bindings: testBindings(options.bindings),
    isReady: () => ready,
    endStreams: () => {},
    details: () => ({ durable: true }),
    clock: options.clock ?? (() => NOW_MS),
  });
  const setReady = (value: boolean): void => {
    ready = value;
    transport.updateHealth();
  };
  const token = (claims: JWTPayload): Promise<string> => signToken(privateKey, claims);
  return { transport, addresses: await transport.start(), metrics, logLines, token, setReady };
}

function environmentFor(keysFile: string): Record<string, string> {
  return {
    DATABASE_URL: 'postgres://unused.test/none',
    REDIS_URL: 'redis://unused.test',
    HONGBAO_SECRETS_KEY: `test:${Buffer.alloc(32).toString('base64')}`,
    HONGBAO_CODES_KEY: 'a key for the codes of tests, long enough',
    HONGBAO_GRPC_PORT: '0',
    HONGBAO_HTTP_PORT: '0',
    HONGBAO_OPS_PORT: '0',
    HONGBAO_GRPC_HOST: '127.0.0.1',
    HONGBAO_HTTP_HOST: '127.0.0.1',
    HONGBAO_OPS_HOST: '127.0.0.1',
    HONGBAO_DRAIN_READINESS_DELAY_MS: '0',
    HONGBAO_AUTH_ISSUER: ISSUER,
    HONGBAO_AUTH_AUDIENCE: AUDIENCE,
    HONGBAO_AUTH_JWKS_FILE: keysFile,
  };
}

/** A token of the issuer for the audience, valid for an hour, with these claims on top. */
export function signToken(key: CryptoKey, claims: JWTPayload): Promise<string> {
  const nowSeconds = Math.floor(NOW_MS / 1000);
  return new SignJWT({ iss: ISSUER, aud: AUDIENCE, exp: nowSeconds + 3600, iat: nowSeconds, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'test' })
    .sign(key);
}
