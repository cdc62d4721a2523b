/** A no-op on the connect-node adapter over HTTP/1.1: the real message types, no validation, no interceptor. */
import { createServer } from 'node:http';
import { fromBinary } from '@bufbuild/protobuf';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { ClaimCouponResponseSchema, CouponService } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { announce, echoSettings } from './echo-process.ts';

const answer = fromBinary(ClaimCouponResponseSchema, echoSettings().answer);

const server = createServer(
  connectNodeAdapter({ routes: (router) => router.rpc(CouponService.method.claimCoupon, () => answer) }),
);
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the echo has no port');
  announce(address.port);
});
