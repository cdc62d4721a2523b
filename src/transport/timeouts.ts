/** Timeouts in the headers of HTTP requests, held to the ceiling of the service. */
import type { IncomingHttpHeaders } from 'node:http';

const GRPC_UNITS_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/**
 * Lowers a timeout above the ceiling to it. The Connect adapter refuses such calls, gRPC shortens them; the same call must not
 * be answered on one port and refused on the other. What is malformed is left for the adapter to explain.
 *
 * @param headers Headers of the request; changed in place.
 */
export function capTimeouts(headers: IncomingHttpHeaders, maxMs: number): void {
  const connect = headers['connect-timeout-ms'];
  if (typeof connect === 'string' && /^\d{1,10}$/.test(connect) && Number(connect) > maxMs) {
    headers['connect-timeout-ms'] = String(maxMs);
  }
  const [, amount, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(String(headers['grpc-timeout'] ?? '')) ?? [];
  if (amount !== undefined && Number(amount) * (GRPC_UNITS_MS[unit] ?? 0) > maxMs)
    headers['grpc-timeout'] = `${maxMs}m`;
}
