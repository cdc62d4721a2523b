/** Every environment variable of the product, by section: its name, bounds, default and meaning. Nothing else is read. */
import { CODE_VARIABLES } from './code-variables.ts';
import { JOB_VARIABLES } from './job-variables.ts';
import { LEDGER_VARIABLES, REDIS_VARIABLES } from './ledger-variables.ts';
import { KEY_VARIABLES, RATE_VARIABLES, TLS_VARIABLES } from './security-variables.ts';
import { CONNECTION_VARIABLES, GRPC_VARIABLES, HTTP_VARIABLES, OPS_VARIABLES } from './server-variables.ts';
import { TRACING_VARIABLES } from './tracing-variables.ts';
import {
  choice,
  cronLine,
  integer,
  namedKeys,
  optionalText,
  optionalUrl,
  pointsRates,
  storeUrl,
  timeZone,
} from './variable.ts';

const MINUTE_MS = 60_000;

/** Every variable by section; `readConfig` makes typed settings of it, the documentation a table. */
export const VARIABLES = {
  service: {
    development: choice(
      'HONGBAO_DEVELOPMENT',
      ['no', 'embedded'],
      'no',
      'Set to `embedded` by `npm start`, which brings its own stores. Never set it in production.',
    ),
    logLevel: choice(
      'HONGBAO_LOG_LEVEL',
      ['debug', 'info', 'warn', 'error', 'silent'],
      'info',
      'The least severe log line that is written.',
    ),
  },
  grpc: GRPC_VARIABLES,
  http: HTTP_VARIABLES,
  ops: OPS_VARIABLES,
  tracing: TRACING_VARIABLES,
  connections: CONNECTION_VARIABLES,
  database: {
    url: storeUrl('DATABASE_URL', /^postgres(ql)?$/, 'Address of Postgres (15 or newer).'),
    maxConnections: integer('HONGBAO_DATABASE_MAX_CONNECTIONS', 10, 'Connections to Postgres per process.', {
      min: 1,
      max: 1000,
    }),
    statementTimeoutMs: integer(
      'HONGBAO_DATABASE_STATEMENT_TIMEOUT_MS',
      10_000,
      'Time after which Postgres gives up on a statement.',
      { min: 1 },
    ),
    connectTimeoutMs: integer(
      'HONGBAO_DATABASE_CONNECT_TIMEOUT_MS',
      5000,
      'Time to open a connection to Postgres.',
      {
        min: 1,
      },
    ),
  },
  redis: REDIS_VARIABLES,
  ledger: LEDGER_VARIABLES,
  archive: {
    flushIntervalMs: integer(
      'HONGBAO_ARCHIVE_FLUSH_INTERVAL_MS',
      100,
      'Time a busy stream gathers events for one statement: more costs lag, less costs Postgres.',
      { min: 0, max: 10_000 },
    ),
    trimMarginMs: integer(
      'HONGBAO_ARCHIVE_TRIM_MARGIN_MS',
      10 * MINUTE_MS,
      'How long an archived entry stays in Redis. At least the recovery point of Postgres.',
    ),
    leaseMs: integer('HONGBAO_ARCHIVE_LEASE_MS', 5_000, 'Time after which a silent archiver is replaced.', {
      min: 500,
    }),
  },
  ruleSet: {
    pollMs: integer(
      'HONGBAO_RULE_SET_POLL_MS',
      500,
      'How often changed promotions are looked for, beside the notification.',
      { min: 10 },
    ),
  },
  evaluation: {
    threads: integer(
      'HONGBAO_EVALUATION_THREADS',
      1,
      'Worker threads for ordinary carts. More help when `promo_evaluation_queue_seconds` grows while CPUs are idle.',
      { min: 1, max: 64 },
    ),
    heavyThreads: integer(
      'HONGBAO_EVALUATION_HEAVY_THREADS',
      1,
      'Worker threads for large carts, large wallets and many codes, so that they delay nobody.',
      { min: 1, max: 64 },
    ),
    queueLimit: integer(
      'HONGBAO_EVALUATION_QUEUE_LIMIT',
      5000,
      'Requests waiting for each kind of threads; more are refused with EVALUATION_OVERLOADED.',
      { min: 1 },
    ),
    timeoutMs: integer(
      'HONGBAO_EVALUATION_TIMEOUT_MS',
      2000,
      'Time after which a worker thread that gives no answer is ended and replaced.',
      { min: 50 },
    ),
    couponsPerOrder: integer(
      'HONGBAO_EVALUATION_COUPONS_PER_ORDER',
      1,
      'Coupons and codes one order may use, unless the request says otherwise.',
      { min: 1, max: 20 },
    ),
  },
  points: {
    rates: pointsRates(
      'HONGBAO_POINTS_RATES',
      'Points per major unit of what was paid, by currency, such as `CNY=1,JPY=0.01`. Others earn 1 per 1.00.',
    ),
    expiryMonths: integer(
      'HONGBAO_POINTS_EXPIRY_MONTHS',
      0,
      'Whole months that points live after the one in which they were earned; 0 = for ever.',
      { max: 1200 },
    ),
    timeZone: timeZone('HONGBAO_POINTS_TIME_ZONE', 'UTC', 'Time zone of these months.'),
  },
  codes: CODE_VARIABLES,
  auth: {
    mode: choice(
      'HONGBAO_AUTH',
      ['jwt', 'certificates', 'off'],
      'jwt',
      'How callers say who they are: by tokens (and client certificates, where they are asked for), or by client certificates alone. `off` lets everybody in and works only with `HONGBAO_DEVELOPMENT=embedded`.',
    ),
    issuer: optionalText('HONGBAO_AUTH_ISSUER', 'The `iss` a token must carry.'),
    audience: optionalText('HONGBAO_AUTH_AUDIENCE', 'The `aud` a token must carry.'),
    jwksUrl: optionalUrl(
      'HONGBAO_AUTH_JWKS_URL',
      /^https?$/,
      'Where the keys that sign tokens are published.',
    ),
    jwksFile: optionalText('HONGBAO_AUTH_JWKS_FILE', 'A file with those keys, instead of the address.'),
    clockToleranceSeconds: integer(
      'HONGBAO_AUTH_CLOCK_TOLERANCE_SECONDS',
      30,
      'By how much clocks may differ when `exp` and `nbf` are checked.',
      { max: 60 },
    ),
    ...KEY_VARIABLES,
  },
  tls: TLS_VARIABLES,
  rates: RATE_VARIABLES,
  limits: {
    maxMessageBytes: integer('HONGBAO_LIMITS_MAX_MESSAGE_BYTES', 65_536, 'Size of a request.', {
      min: 1024,
      max: 16_777_216,
    }),
    maxBatchMessageBytes: integer(
      'HONGBAO_LIMITS_MAX_BATCH_MESSAGE_BYTES',
      1_048_576,
      'Size of a request that carries a batch of items.',
      { min: 1024, max: 16_777_216 },
    ),
    defaultDeadlineMs: integer(
      'HONGBAO_LIMITS_DEFAULT_DEADLINE_MS',
      5000,
      'Time for a call that states no deadline.',
      {
        min: 1,
      },
    ),
    maxDeadlineMs: integer(
      'HONGBAO_LIMITS_MAX_DEADLINE_MS',
      30_000,
      'Longest time a unary call may ask for.',
      { min: 1 },
    ),
    maxInFlight: integer(
      'HONGBAO_LIMITS_MAX_IN_FLIGHT',
      20_000,
      'Unary calls under way in one process; more are refused with SERVER_OVERLOADED before their body is read.',
      { min: 1 },
    ),
    targetLatencyMs: integer(
      'HONGBAO_LIMITS_TARGET_LATENCY_MS',
      400,
      'While calls take longer than this on average, only as many are taken on as can be answered within it; 0 = never fewer.',
    ),
  },
  drain: {
    readinessDelayMs: integer(
      'HONGBAO_DRAIN_READINESS_DELAY_MS',
      5000,
      'Wait between "not ready" and the end of new connections, until load balancers noticed.',
    ),
    graceMs: integer('HONGBAO_DRAIN_GRACE_MS', 20_000, 'Time the calls in flight then have to finish.'),
  },
  events: {
    waitDays: integer(
      'HONGBAO_EVENTS_WAIT_DAYS',
      30,
      'Days of 24 hours that an event about an order waits until the order is known; then it is ignored.',
      { min: 1, max: 365 },
    ),
    timeZone: timeZone(
      'HONGBAO_EVENTS_TIME_ZONE',
      'Asia/Shanghai',
      'Time zone in which birthdays begin and end.',
    ),
    birthdayCron: cronLine(
      'HONGBAO_EVENTS_BIRTHDAY_CRON',
      '30 0 * * *',
      'When birthday coupons are given, in the time zone of birthdays.',
    ),
  },
  jobs: JOB_VARIABLES,
  privacy: {
    secretsKeys: namedKeys(
      'HONGBAO_SECRETS_KEY',
      'Keys that phones, names and secrets of webhooks are kept by: `name:key` separated by commas, the newest first; each key 32 bytes in base64. Needed by `serve` and `archive`; the embedded development set-up has one.',
    ),
    countryCode: integer(
      'HONGBAO_PRIVACY_COUNTRY_CODE',
      86,
      'Country code of phone numbers that are given without one.',
      { min: 1, max: 999 },
    ),
  },
} as const;
