/** Settings that are right one by one and wrong together. Each check gives one line that says what to do. */
import type { Role, Settings } from './config.ts';

type Check = (settings: Settings, role: Role) => string | undefined;

const needsDatabase: Check = ({ database }, role) =>
  role !== 'health' && role !== 'move' && database.url === undefined
    ? `DATABASE_URL: must be set to ${role}`
    : undefined;

const needsRedis: Check = ({ redis }, role) =>
  role !== 'health' && role !== 'migrate' && redis.url === undefined
    ? `REDIS_URL: must be set to ${role}`
    : undefined;

const openDoorInDevelopmentOnly: Check = ({ auth, service }) =>
  auth.mode === 'off' && service.development !== 'embedded'
    ? 'HONGBAO_AUTH: off lets everybody in, so it works only with HONGBAO_DEVELOPMENT=embedded; set up tokens instead'
    : undefined;

const tokensNeedIssuerAndAudience: Check = ({ auth }, role) =>
  role === 'serve' && auth.mode === 'jwt' && (auth.issuer === undefined || auth.audience === undefined)
    ? 'HONGBAO_AUTH_ISSUER, HONGBAO_AUTH_AUDIENCE: must be set, so that tokens made for others are refused'
    : undefined;

const tokensNeedOneKeySource: Check = ({ auth }, role) =>
  role === 'serve' && auth.mode === 'jwt' && (auth.jwksUrl === undefined) === (auth.jwksFile === undefined)
    ? 'HONGBAO_AUTH_JWKS_URL, HONGBAO_AUTH_JWKS_FILE: exactly one must be set'
    : undefined;

const certificateNeedsKey: Check = ({ tls }) =>
  (tls.certFile === undefined) === (tls.keyFile === undefined)
    ? undefined
    : 'HONGBAO_TLS_CERT_FILE, HONGBAO_TLS_KEY_FILE: set both or none';

const clientsNeedAuthority: Check = ({ tls }) =>
  tls.clientCertificates !== 'off' &&
  [tls.certFile, tls.clientCaFile, tls.identitiesFile].some((file) => file === undefined)
    ? 'HONGBAO_TLS_CLIENT_CERTIFICATES: needs HONGBAO_TLS_CERT_FILE, HONGBAO_TLS_CLIENT_CA_FILE and HONGBAO_TLS_IDENTITIES_FILE'
    : undefined;

const certificatesMustBeAskedFor: Check = ({ auth, tls }, role) =>
  role === 'serve' && auth.mode === 'certificates' && tls.clientCertificates !== 'required'
    ? 'HONGBAO_AUTH: certificates needs HONGBAO_TLS_CLIENT_CERTIFICATES=required'
    : undefined;

const deadlinesInOrder: Check = ({ limits }) =>
  limits.defaultDeadlineMs > limits.maxDeadlineMs
    ? 'HONGBAO_LIMITS_DEFAULT_DEADLINE_MS: must not exceed HONGBAO_LIMITS_MAX_DEADLINE_MS'
    : undefined;

const sizesInOrder: Check = ({ limits }) =>
  limits.maxMessageBytes > limits.maxBatchMessageBytes
    ? 'HONGBAO_LIMITS_MAX_MESSAGE_BYTES: must not exceed HONGBAO_LIMITS_MAX_BATCH_MESSAGE_BYTES'
    : undefined;

const portsApart: Check = ({ grpc, http, ops }) => {
  const ports = [grpc.port, http.port, ops.port].filter((port) => port !== 0);
  return new Set(ports).size < ports.length
    ? 'HONGBAO_GRPC_PORT, HONGBAO_HTTP_PORT, HONGBAO_OPS_PORT: must differ'
    : undefined;
};

const secretsNeedKey: Check = ({ privacy, service }, role) =>
  (role === 'serve' || role === 'archive') &&
  service.development !== 'embedded' &&
  privacy.secretsKeys.length === 0
    ? 'HONGBAO_SECRETS_KEY: must be set, so that phone numbers, names and secrets are never stored as they are'
    : undefined;

const codesNeedKey: Check = ({ codes, service }, role) =>
  (role === 'serve' || role === 'archive') && service.development !== 'embedded' && codes.key === undefined
    ? 'HONGBAO_CODES_KEY: must be set, so that single-use codes cannot be read or guessed from the database'
    : undefined;

/**
 * Days of the log that are kept at least, unless all of it is: readers that come back with a cursor (webhooks repeat for a day), the
 * minutes by which Redis is trimmed late, and several audits, each of which proves what the log still tells, lie well within.
 */
const LOG_RETENTION_MIN_DAYS = 30;

// How old an order or a coupon is, the retention of the ledger reads from the log.
const logOutlivesLedger: Check = ({ jobs: { logRetentionDays, retentionDays } }) => {
  if (logRetentionDays === 0) return undefined;
  if (logRetentionDays < LOG_RETENTION_MIN_DAYS)
    return `HONGBAO_ARCHIVE_LOG_RETENTION_DAYS: must be 0 (keep for ever) or at least ${LOG_RETENTION_MIN_DAYS}`;
  return logRetentionDays <= retentionDays
    ? 'HONGBAO_ARCHIVE_LOG_RETENTION_DAYS: must be more than HONGBAO_JOBS_RETENTION_DAYS, whose job reads from the log how old things are'
    : undefined;
};

const CHECKS: readonly Check[] = [
  needsDatabase,
  needsRedis,
  openDoorInDevelopmentOnly,
  tokensNeedIssuerAndAudience,
  tokensNeedOneKeySource,
  certificateNeedsKey,
  clientsNeedAuthority,
  certificatesMustBeAskedFor,
  deadlinesInOrder,
  sizesInOrder,
  portsApart,
  codesNeedKey,
  secretsNeedKey,
  logOutlivesLedger,
];

/** One line per combination that cannot work for this role. */
export function checkCombinations(settings: Settings, role: Role): string[] {
  return CHECKS.map((check) => check(settings, role)).filter((fault) => fault !== undefined);
}
