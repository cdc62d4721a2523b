/** The serving process leaves in time, whatever its clients do. */
import { once } from 'node:events';
import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CouponService } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { EventService } from '../../src/gen/hongbao/v1/event_service_pb.ts';
import { pathOf } from '../../src/transport/binding.ts';
import { type ProductFixture, startProduct } from '../product-fixture.ts';

const GRACE_MS = 2_000;
let product: ProductFixture;

beforeAll(async () => {
  product = await startProduct({ HONGBAO_DRAIN_GRACE_MS: String(GRACE_MS) });
});
afterAll(() => product.close());

// SPEC C7
test('SIGTERM ends it within the grace time and a second, with streams open that nobody reads', async () => {
  const asIs = (bytes: Buffer): Buffer => bytes;
  const client = new Client(`127.0.0.1:${product.grpcPort}`, credentials.createInsecure());
  const unread = client.makeServerStreamRequest(
    pathOf(EventService.method.streamEvents),
    asIs,
    asIs,
    Buffer.alloc(0),
  );
  const idle = client.makeBidiStreamRequest(pathOf(CouponService.method.streamClaimCoupons), asIs, asIs);
  for (const call of [unread, idle]) call.on('error', () => {});
  await once(unread, 'metadata');
  const startedAt = performance.now();
  expect(await product.serve.end('SIGTERM')).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(GRACE_MS + 1_000);
  client.close();
});
