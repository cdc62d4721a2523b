import { LOG_DIRECTORY } from './service-process.ts';
import { DATA_DIRECTORY, type StartSettings } from './settings.ts';
import type { StoreAddresses } from './stores.ts';

/** A promotion of the sample catalogue that anybody may claim. */
export const FIRST_PROMOTION_ID = 'no-threshold-10';

/** The request of the first call; a repeat carries the same request id and answers with the same coupon. */
export const FIRST_REQUEST = { promotionId: FIRST_PROMOTION_ID, userId: 'alice', requestId: 'first-call' };

const METHOD = 'hongbao.v1.CouponService/ClaimCoupon';

/** A call over gRPC with the project's own buf; it learns the contract by reflection. */
export function grpcFirstCall(settings: StartSettings): string {
  const target = `http://127.0.0.1:${settings.grpcPort}/${METHOD}`;
  return `npx buf curl --http2-prior-knowledge --protocol grpc -d '${JSON.stringify(FIRST_REQUEST)}' ${target}`;
}

/** The same call with plain curl over HTTP. */
export function httpFirstCall(settings: StartSettings): string {
  const target = `http://127.0.0.1:${settings.httpPort}/${METHOD}`;
  return `curl -H 'Content-Type: application/json' -d '${JSON.stringify(FIRST_REQUEST)}' ${target}`;
}

/** What `npm start` prints once everything answers. */
export function welcome(settings: StartSettings, stores: StoreAddresses, seconds: number): string {
  return `
Hongbao is up after ${seconds.toFixed(1)} s.

  gRPC       127.0.0.1:${settings.grpcPort}  (with reflection and health)
  HTTP       http://127.0.0.1:${settings.httpPort}  (Connect, gRPC-Web, JSON)
  Metrics    http://127.0.0.1:${settings.opsPort}/metrics  (archive: ${settings.archiveOpsPort})
  Postgres   ${stores.databaseUrl}
  Redis      ${stores.redisUrl}
  Logs       ${LOG_DIRECTORY}

Claim a coupon over gRPC, then once more over HTTP (the same request id answers with the same coupon):

  ${grpcFirstCall(settings)}

  ${httpFirstCall(settings)}

docs/tour.md goes on from there: an order, refunds, points, codes, events.
Ctrl-C stops everything; the data stays in ${DATA_DIRECTORY}.
`;
}
