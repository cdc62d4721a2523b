/** The client knows every method of the contract, and the package works as one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { allVariables } from '../config/config.ts';
import { RefusalReason } from '../gen/hongbao/v1/refusal_pb.ts';
import { SERVICES } from '../transport/services.ts';
import { EXCEPTIONS, isRead, methodName, PLANS, planOf } from './call-plan.ts';
import { createHongbao } from './client.ts';
import { connectTransport } from './connect-transport.ts';
import { grpcTarget } from './grpc-target.ts';
import { itemError } from './hongbao-error.ts';
import { isRepeatable } from './request-ids.ts';

const METHODS = SERVICES.flatMap(({ methods }) => methods);

// SPEC C8: the client package.
describe('the contract', () => {
  test('is covered: every service has its place, every method one call', () => {
    const client = createHongbao({ transport: connectTransport({ baseUrl: 'http://unused.test' }) });
    const calls = Object.values(client).flatMap((service) =>
      typeof service === 'object' ? Object.keys(service) : [],
    );
    expect(calls.toSorted()).toEqual(METHODS.map(({ localName }) => localName).toSorted());
  });

  test.each(METHODS.map((method) => [methodName(method), method] as const))(
    '%s is known for a repeat and has time within what the service allows',
    (_name, method) => {
      const longest = allVariables().find(({ name }) => name === 'HONGBAO_LIMITS_MAX_DEADLINE_MS');
      const { deadlineMs, attemptMs } = planOf(method);
      // The one look-up that is written down counts as a change, and asking twice is only written down twice.
      const isRepeated = isRead(method) || isRepeatable(method.input);
      expect(isRepeated || method.name === 'FindUserByPhone').toBe(true);
      expect(attemptMs).toBeLessThan(deadlineMs);
      expect(deadlineMs).toBeLessThanOrEqual(Number(longest?.schema.parse(undefined)));
    },
  );

  test('is what deadlines may name', () => {
    const transport = connectTransport({ baseUrl: 'http://unused.test' });
    const deadlines = { 'CartService.Evaluate': 300 };
    expect(() => createHongbao({ transport, deadlines })).toThrow('CartService.Evaluate');
  });

  test('has the deadlines that the guide shows', () => {
    const guide = readFileSync(join(import.meta.dirname, '../../docs/clients.md'), 'utf8');
    const shown = [...guide.matchAll(/^\| (\w+).* \| ([\d,]+) ms \| ([\d,]+) ms \|$/gm)].map((row) =>
      row.slice(2).map((figure) => Number(figure.replace(',', ''))),
    );
    expect(shown).toEqual(Object.values(PLANS).map(({ deadlineMs, attemptMs }) => [deadlineMs, attemptMs]));
  });

  test('has the methods that differ from their kind', () => {
    const names = METHODS.map(methodName);
    expect(Object.keys(EXCEPTIONS).filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe('addresses', () => {
  test.each([
    ['coupons.shop.svc:50051', 'dns:///coupons.shop.svc:50051'],
    [['10.0.0.1:50051', '10.0.0.2:50051'], 'ipv4:10.0.0.1:50051,10.0.0.2:50051'],
    [['[fd00::1]:50051', '[fd00::2]:50051'], 'ipv6:[fd00::1]:50051,[fd00::2]:50051'],
    ['unix:/run/hongbao.sock', 'unix:/run/hongbao.sock'],
  ])('%s is %s to gRPC', (address, target) => {
    expect(grpcTarget(address)).toBe(target);
  });

  test.each([[[]], [''], [['a:1', 'b:1']], [['10.0.0.1:1', 'b:1']]])('%j is refused', (address) => {
    expect(() => grpcTarget(address)).toThrow('address');
  });
});

test('an item of a batch that was refused is an error like that of a single call', () => {
  const item = { reason: RefusalReason.LEDGER_CLOSED, message: 'closed', metadata: {} };
  const retryAfter = { seconds: 0n, nanos: 200_000_000 };
  const error = itemError('CouponService.BatchClaimCoupons', { ...item, retryAfter }, 'mine');
  expect(error).toMatchObject({
    reason: 'LEDGER_CLOSED',
    outcome: 'unknown',
    retryAfterMs: 200,
    requestId: 'mine',
  });
  expect(itemError('m', { ...item, reason: 60_000 })).toMatchObject({
    reason: undefined,
    outcome: 'unknown',
  });
});
