/** The environment variables of the servers that calls and probes come to; sections of `variables.ts`. */
import { flag, integer, list, optionalText, port } from './variable.ts';

const MINUTE_MS = 60_000;

/** The gRPC server. */
export const GRPC_VARIABLES = {
  host: optionalText(
    'HONGBAO_GRPC_HOST',
    'Address the gRPC server listens on. Every address when not set; 127.0.0.1 in the embedded development set-up.',
  ),
  port: port('HONGBAO_GRPC_PORT', 50051, 'Port of the gRPC server.'),
  reflection: flag('HONGBAO_GRPC_REFLECTION', true, 'Whether tools may ask the server for its contract.'),
  maxConnections: integer(
    'HONGBAO_GRPC_MAX_CONNECTIONS',
    10_000,
    'Connections to the gRPC server at a time; more are closed at once.',
    { min: 1 },
  ),
  maxConcurrentStreams: integer(
    'HONGBAO_GRPC_MAX_CONCURRENT_STREAMS',
    128,
    'Calls at a time on one connection; clients let more wait on their side, where they cost the service nothing.',
    {
      min: 1,
    },
  ),
  maxSessionMemoryMegabytes: integer(
    'HONGBAO_GRPC_MAX_SESSION_MEMORY_MEGABYTES',
    32,
    'Memory one connection may hold before new calls on it are refused.',
    { min: 1 },
  ),
} as const;

/** The HTTP server. */
export const HTTP_VARIABLES = {
  host: optionalText(
    'HONGBAO_HTTP_HOST',
    'Address the HTTP server (Connect, gRPC-Web, JSON) listens on. Defaults as for the gRPC server.',
  ),
  port: port('HONGBAO_HTTP_PORT', 8080, 'Port of the HTTP server.'),
  maxConnections: integer(
    'HONGBAO_HTTP_MAX_CONNECTIONS',
    20_000,
    'Connections to the HTTP server at a time; more are closed at once.',
    { min: 1 },
  ),
  corsOrigins: list(
    'HONGBAO_HTTP_CORS_ORIGINS',
    'Origins of web pages that may call the service, separated by commas; `*` allows every page.',
  ),
} as const;

/** The server for metrics and probes. */
export const OPS_VARIABLES = {
  host: optionalText(
    'HONGBAO_OPS_HOST',
    'Address of the server for metrics and probes. Defaults as for the gRPC server. Never expose it to the public.',
  ),
  port: port('HONGBAO_OPS_PORT', 9090, 'Port of `/metrics`, `/livez`, `/readyz` and `/healthz/details`.'),
} as const;

/** How long connections last. */
export const CONNECTION_VARIABLES = {
  maxAgeMs: integer(
    'HONGBAO_CONNECTIONS_MAX_AGE_MS',
    5 * MINUTE_MS,
    'Age at which a gRPC connection is asked to reconnect (with 10 % jitter), so that clients find new replicas.',
    { min: 1000 },
  ),
  maxAgeGraceMs: integer(
    'HONGBAO_CONNECTIONS_MAX_AGE_GRACE_MS',
    MINUTE_MS,
    'Time the calls on such a connection have to finish.',
    { min: 1000 },
  ),
  maxIdleMs: integer(
    'HONGBAO_CONNECTIONS_MAX_IDLE_MS',
    5 * MINUTE_MS,
    'Idle time after which a connection is closed.',
    {
      min: 1000,
    },
  ),
} as const;
