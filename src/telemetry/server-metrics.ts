/** What is known of calls, and of those who make them. */
import { CALL_SECONDS } from './buckets.ts';
import { type Declare, withChildren } from './declarations.ts';

/** Why a caller was turned away before the method was looked at. */
export type AuthRejection = (typeof AUTH_REJECTIONS)[number];

const AUTH_REJECTIONS = [
  'missing',
  'malformed',
  'invalid',
  'expired',
  'no_identity',
  'denied',
  'certificate',
  'keys_unavailable',
] as const;

/** How reading something again that had changed, or could not be read, ended. */
export type ReadOutcome = 'changed' | 'failed';

/** Declares them. */
export function serverMetrics(declare: Declare) {
  const labels = ['grpc_service', 'grpc_method'];
  return {
    serverStarted: declare.counters<readonly [string, string]>(
      'grpc_server_started_total',
      'Calls begun, on every protocol.',
      labels,
    ),
    serverHandled: declare.counters<readonly [string, string, string]>(
      'grpc_server_handled_total',
      'Calls answered, on every protocol, by status code.',
      [...labels, 'grpc_code'],
    ),
    serverHandlingSeconds: declare.histograms<readonly [string, string]>(
      'grpc_server_handling_seconds',
      'Time from the headers of a call to its answer.',
      labels,
      CALL_SECONDS,
    ),
    authRejections: withChildren(
      declare.counters<readonly [AuthRejection]>(
        'promo_auth_rejections_total',
        'Callers turned away, by reason.',
        ['reason'],
      ),
      AUTH_REJECTIONS,
    ),
    authKeyReads: withChildren(
      declare.counters<readonly [ReadOutcome]>(
        'promo_auth_key_reads_total',
        'Times the keys of tokens were read and had changed, or could not be read.',
        ['outcome'],
      ),
      ['changed', 'failed'],
    ),
    tlsReloads: withChildren(
      declare.counters<readonly [ReadOutcome]>(
        'promo_tls_reloads_total',
        'Times the files of TLS changed and were taken, or could not be used.',
        ['outcome'],
      ),
      ['changed', 'failed'],
    ),
    rateLimited: withChildren(
      declare.counters<readonly ['caller' | 'user']>(
        'promo_rate_limited_total',
        'Calls refused because somebody called too often, by whose limit it was.',
        ['limit'],
      ),
      ['caller', 'user'],
    ),
    serverInFlight: declare.gauge('promo_server_in_flight', 'Unary calls under way.'),
    serverInFlightLimit: declare.gauge(
      'promo_server_in_flight_limit',
      'Unary calls that are taken on at a time; below its configured bound while calls take too long.',
    ),
    serverShed: declare.counter('promo_server_shed_total', 'Calls refused because too many were under way.'),
  };
}
