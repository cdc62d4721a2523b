/** The ledger's settings as the configuration states them. */
import type { Config } from './config/config.ts';
import type { LedgerSettings } from './ledger/ledger.ts';
import type { TopologySettings } from './ledger/topology.ts';

/** Share of the backlog limit at which new claims are refused; what follows a claim keeps the rest. */
const CLAIM_BACKLOG_SHARE = 0.6;

/** Share at which reservations and what else begins something is refused; commit, release and return never are. */
const RESERVATION_BACKLOG_SHARE = 0.8;

/** How this process connects to Redis. */
export function ledgerConnection(config: Config): TopologySettings {
  const { url, commandTimeoutMs, connectTimeoutMs, socketTimeoutMs } = config.redis;
  return { url, commandTimeoutMs, connectTimeoutMs, socketTimeoutMs, partitions: config.ledger.partitions };
}

/** The settings of the serving side. */
export function ledgerSettings(config: Config): LedgerSettings {
  const { queueLimit, backlogLimitEvents, durabilityFallback, fsyncAsserted } = config.ledger;
  return {
    ...ledgerConnection(config),
    queueLimit,
    claimBacklogEvents: Math.floor(backlogLimitEvents * CLAIM_BACKLOG_SHARE),
    reservationBacklogEvents: Math.floor(backlogLimitEvents * RESERVATION_BACKLOG_SHARE),
    replicas: config.redis.replicas,
    durabilityFallback,
    isFsyncVouchedFor: fsyncAsserted,
  };
}
