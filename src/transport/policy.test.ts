import type { DescService } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { readConfig } from '../config/config.ts';
import { CartService } from '../gen/hongbao/v1/cart_service_pb.ts';
import { CouponService } from '../gen/hongbao/v1/coupon_service_pb.ts';
import { EventService } from '../gen/hongbao/v1/event_service_pb.ts';
import { InsightService } from '../gen/hongbao/v1/insight_service_pb.ts';
import { JobService } from '../gen/hongbao/v1/job_service_pb.ts';
import { PointsService } from '../gen/hongbao/v1/points_service_pb.ts';
import { PrivacyService } from '../gen/hongbao/v1/privacy_service_pb.ts';
import { PromotionService } from '../gen/hongbao/v1/promotion_service_pb.ts';
import { RedemptionService } from '../gen/hongbao/v1/redemption_service_pb.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { hot } from './binding.ts';
import { bindMethods } from './method.ts';
import { describePolicies, POLICIES } from './policy.ts';

const SERVICES = [
  PromotionService,
  CouponService,
  CartService,
  InsightService,
  RedemptionService,
  PointsService,
  EventService,
  JobService,
  PrivacyService,
];

// SPEC S1
test('docs/identities.md is the table of the policies', async () => {
  await expect(describePolicies()).toMatchFileSnapshot('../../docs/identities.md');
});

test('every method has a policy, and no policy is left over', () => {
  const methods = SERVICES.flatMap((service) =>
    service.methods.map(({ name }) => `${service.typeName}.${name}`),
  );
  expect(Object.keys(POLICIES).toSorted()).toEqual(methods.toSorted());
});

test('a method without handler or without policy stops the start', () => {
  const { limits } = readConfig('health', {});
  const metrics = createMetrics({ version: 'test', node: 'test' });
  expect(() => bindMethods([InsightService], [], limits, metrics)).toThrow(
    /ListIssuedCoupons has no handler.*ListLedgerEvents has no handler/,
  );
  const stranger: DescService = { ...InsightService, typeName: 'hongbao.v1.StrangerService', methods: [] };
  const method = { ...InsightService.method.listIssuedCoupons, parent: stranger };
  stranger.methods.push(method);
  const binding = hot(method, () => {});
  expect(() => bindMethods([stranger], [binding], limits, metrics)).toThrow(
    'The service cannot start: hongbao.v1.StrangerService.ListIssuedCoupons has no policy',
  );
});
