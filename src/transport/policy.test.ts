import type { DescService } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { readConfig } from '../config/config.ts';
import { InsightService } from '../gen/hongbao/v1/insight_service_pb.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { hot } from './binding.ts';
import { bindMethods } from './method.ts';
import { describePolicies, POLICIES } from './policy.ts';
import { SERVICES } from './services.ts';

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
