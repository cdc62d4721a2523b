/** What the service promises, in one place for dashboards; the recording rules say the same in PromQL, and a test compares them. */

/** Share of calls that must not fail. */
export const AVAILABILITY = 0.999;
/** Share of calls of buyers that must be answered in time. */
export const IN_TIME = 0.99;
/** What in time means, in seconds; a bucket of `grpc_server_handling_seconds`. */
export const IN_TIME_SECONDS = 0.1;
/** The methods buyers wait for. */
export const BUYER_METHODS = [
  'ClaimCoupon',
  'ClaimCode',
  'EvaluateCart',
  'ListUsableCoupons',
  'ValidateCoupon',
  'ReserveCoupons',
  'CommitReservation',
  'UseCoupons',
] as const;
