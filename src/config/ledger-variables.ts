/** The variables of Redis and of the ledger on it. */
import { choice, flag, integer, partitionCount, redisUrl } from './variable.ts';

/** How this process reaches Redis. */
export const REDIS_VARIABLES = {
  url: redisUrl(
    'REDIS_URL',
    'Address of Redis (7.0 or newer), `noeviction`, `appendfsync always`; of sentinels, ' +
      '`redis+sentinel://host:port,host:port/master-name`; or of a cluster, `redis+cluster://host:port,host:port`. ' +
      '`rediss` in place of `redis` speaks TLS.',
  ),
  commandTimeoutMs: integer(
    'HONGBAO_REDIS_COMMAND_TIMEOUT_MS',
    2000,
    'Time after which a call to Redis counts as unanswered. Too small a value breaks the connection check.',
    { min: 50 },
  ),
  connectTimeoutMs: integer('HONGBAO_REDIS_CONNECT_TIMEOUT_MS', 2000, 'Time to open a connection to Redis.', {
    min: 50,
  }),
  socketTimeoutMs: integer(
    'HONGBAO_REDIS_SOCKET_TIMEOUT_MS',
    5000,
    'Silence on a connection with calls in flight after which it is replaced.',
    { min: 100 },
  ),
  replicas: integer(
    'HONGBAO_REDIS_REPLICAS',
    0,
    'Replicas that must hold a write before a DURABLE claim is answered.',
    {
      max: 16,
    },
  ),
} as const;

/** How the ledger is spread, bounded and acknowledged. */
export const LEDGER_VARIABLES = {
  partitions: partitionCount(
    'HONGBAO_LEDGER_PARTITIONS',
    'Parts of the ledger: 1 on one Redis, 16 or 64 on a cluster. Another number is made by `hongbao rebuild`.',
  ),
  queueLimit: integer(
    'HONGBAO_LEDGER_QUEUE_LIMIT',
    20_000,
    'Writes waiting for Redis in one process; more are refused with LEDGER_OVERLOADED.',
    { min: 1 },
  ),
  backlogLimitEvents: integer(
    'HONGBAO_LEDGER_BACKLOG_LIMIT_EVENTS',
    2_000_000,
    'Events not yet in Postgres. Claims close at 60 % of it, so that the memory of Redis never runs out.',
    { min: 1000 },
  ),
  durabilityFallback: choice(
    'HONGBAO_LEDGER_DURABILITY_FALLBACK',
    ['refuse', 'degrade'],
    'refuse',
    'What a DURABLE claim does while Redis cannot keep that promise.',
  ),
  fsyncAsserted: flag(
    'HONGBAO_LEDGER_FSYNC_ASSERTED',
    false,
    'The operator states that Redis fsyncs before it answers. For managed Redis that hides its settings.',
  ),
} as const;
