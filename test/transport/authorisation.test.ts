// SPEC S1: every method × every identity, on gRPC, Connect and gRPC-Web. Who is not listed here must be refused.
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IDENTITY_KINDS, SCOPES } from '../../src/domain/identity.ts';
import { SERVICES } from '../../src/transport/services.ts';
import { openStream } from './stream-client.ts';
import { isUnary, startTestTransport, type TestTransport } from './test-transport.ts';
import { wireCalls } from './wire-clients.ts';

/** People and, last, the scope a service needs. Written by hand, apart from the policy. */
const ALLOWED: Readonly<Record<string, string>> = {
  CreatePromotion: 'marketing admin promotions:write',
  GetPromotion: 'front_desk marketing admin sre promotions:read',
  ListPromotions: 'front_desk marketing admin sre promotions:read',
  ListPromotionVersions: 'marketing admin sre promotions:read',
  UpdatePromotion: 'marketing admin promotions:write',
  ActivatePromotion: 'marketing admin promotions:write',
  DeactivatePromotion: 'marketing admin promotions:write',
  FinishPromotion: 'marketing admin promotions:write',
  DeletePromotion: 'marketing admin promotions:write',
  ListAuditEntries: 'marketing admin sre promotions:read',
  GetPromotionStatistics: 'marketing admin sre promotions:read',
  ClaimCoupon: 'end_user coupons:claim',
  BatchClaimCoupons: 'coupons:claim',
  StreamClaimCoupons: 'coupons:claim',
  ListClaimablePromotions: 'end_user front_desk marketing admin coupons:read',
  GetPublicPromotion: 'end_user front_desk marketing admin coupons:read',
  ListCoupons: 'end_user front_desk admin coupons:read',
  GetCoupon: 'end_user front_desk admin coupons:read',
  GetCouponStatistics: 'end_user front_desk admin coupons:read',
  HideCoupon: 'end_user coupons:hide',
  EvaluateCart: 'end_user front_desk marketing admin sre carts:evaluate',
  BatchEvaluateCarts: 'marketing admin sre carts:evaluate',
  ListUsableCoupons: 'end_user front_desk admin carts:evaluate',
  ValidateCoupon: 'end_user front_desk admin carts:evaluate',
  ListIssuedCoupons: 'marketing admin insight:read',
  ListLedgerEvents: 'admin sre insight:read',
  GrantCoupons: 'marketing admin coupons:grant',
  GetGrantJob: 'marketing admin coupons:grant',
  ListGrantJobs: 'marketing admin coupons:grant',
  CancelGrantJob: 'marketing admin coupons:grant',
  RevokeCoupons: 'marketing admin coupons:grant',
  GenerateCodes: 'marketing admin codes:manage',
  GetCodeJob: 'marketing admin codes:manage',
  ImportCodes: 'marketing admin codes:manage',
  ExportCodes: 'marketing admin codes:manage',
  ClaimCode: 'end_user coupons:claim',
  ListExpiringCoupons: 'end_user front_desk admin coupons:read',
  ReserveCoupons: 'front_desk admin orders:redeem',
  CommitReservation: 'front_desk admin orders:redeem',
  ReleaseReservation: 'front_desk admin orders:redeem',
  UseCoupons: 'front_desk admin orders:redeem',
  ReturnCoupons: 'front_desk admin orders:redeem',
  RefundItems: 'front_desk admin orders:redeem',
  GetRedemption: 'end_user front_desk admin orders:redeem',
  GetBalance: 'end_user front_desk admin points:read',
  ListTransactions: 'end_user front_desk admin points:read',
  ListExchangeablePromotions: 'end_user front_desk admin points:read',
  ExchangeCoupon: 'end_user points:exchange',
  AwardTestPoints: 'admin points:award',
  IngestEvent: 'events:write',
  GetEvent: 'admin sre events:read',
  StreamEvents: 'events:read',
  CreateWebhook: 'admin sre webhooks:manage',
  ListWebhooks: 'admin sre webhooks:manage',
  UpdateWebhook: 'admin sre webhooks:manage',
  DeleteWebhook: 'admin sre webhooks:manage',
  ListDeadLetters: 'admin sre webhooks:manage',
  RetryDeadLetter: 'admin sre webhooks:manage',
  ListJobs: 'admin sre jobs:run',
  ListJobRuns: 'admin sre jobs:run',
  RunJob: 'admin sre jobs:run',
  EraseUser: 'admin privacy:erase',
  GetUserProfile: 'admin privacy:read',
  FindUserByPhone: 'front_desk admin privacy:read',
};

/** Every kind of person, a service without scopes, and a service with each scope alone. People carry all scopes: it must not help. */
const CALLERS = [
  ...IDENTITY_KINDS.filter((kind) => kind !== 'service').map((kind) => ({
    name: kind as string,
    claims: { sub: 'someone', kind, scope: Object.keys(SCOPES).join(' ') },
  })),
  {
    name: 'service without scopes',
    claims: { sub: 'robot', kind: 'service', scope: 'development:everything' },
  },
  ...Object.keys(SCOPES).map((scope) => ({ name: scope, claims: { sub: 'robot', kind: 'service', scope } })),
];

const METHODS = SERVICES.flatMap(({ methods }) => methods);
let server: TestTransport;
let ways: ReturnType<typeof wireCalls>;

beforeAll(async () => {
  server = await startTestTransport();
  ways = wireCalls(server.addresses);
});
afterAll(async () => {
  ways.close();
  await server.transport.stop();
});

test('the matrix names every method', () => {
  expect(METHODS.map(({ name }) => name).toSorted()).toEqual(Object.keys(ALLOWED).toSorted());
});

describe.each(METHODS)('$name', (method) => {
  test.each(CALLERS)('$name', async ({ name, claims }) => {
    const headers = { authorization: `Bearer ${await server.token(claims)}` };
    const isAllowed = (ALLOWED[method.name] ?? '').split(' ').includes(name);
    const answers = isUnary(method)
      ? await Promise.all(
          Object.values(ways.calls).map((call) => call(method, create(method.input), headers)),
        )
      : [await openStream(server.addresses.grpcPort, method, headers).outcome([])];
    for (const answer of answers) {
      // An allowed call gets as far as the handler, which may find fault with the empty request.
      if (isAllowed)
        expect(answer).not.toHaveProperty('code', expect.stringMatching(/PERMISSION|UNAUTHENTICATED/));
      else expect(answer).toMatchObject({ code: 'PERMISSION_DENIED' });
    }
  });
});
