/** The stores of a process that takes part in the ledger's work, and the promotions in force: serving and jobs alike. */
import { randomBytes } from 'node:crypto';
import type { Config } from './config/config.ts';
import { createDatabase, type Sql } from './database/client.ts';
import { createDefineMissing } from './definitions/define-missing.ts';
import type { DefinitionPorts } from './definitions/definition-ports.ts';
import { archiveProgress } from './definitions/store/archive-progress.ts';
import type { ArchivedCoupons } from './ledger/archived-coupons.ts';
import { Ledger } from './ledger/ledger.ts';
import { ledgerSettings } from './ledger-settings.ts';
import { type RuleSetFollower, RuleSetKeeper } from './ruleset/rule-set-keeper.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { Tracer } from './telemetry/tracing/tracer.ts';

/** What a process has before it opens anything. */
export interface Process {
  readonly config: Config;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  /** Local epoch milliseconds. */
  readonly nowMs: () => number;
}

/** The stores, opened. */
export interface Stores {
  readonly sql: Sql;
  readonly ledger: Ledger;
  readonly definitions: DefinitionPorts;
}

/** How long a start waits for Redis before it goes on without; calls say what is missing. */
export const LEDGER_START_MS = 2_000;
const PROMOTION_ID_BYTES = 8;

/** Connections to Postgres under a name. */
export function openPool({ config }: Pick<Process, 'config'>, name: string, maxConnections: number): Sql {
  const { url, statementTimeoutMs, connectTimeoutMs } = config.database;
  return createDatabase(url, { applicationName: name, maxConnections, statementTimeoutMs, connectTimeoutMs });
}

/** A client of the ledger that brings it definitions it lacks. @param archived tells when coupons are archived */
export function openStores(ports: Process, sql: Sql, archived?: ArchivedCoupons): Stores {
  const { config, metrics, logger, nowMs } = ports;
  const ledger = new Ledger({
    settings: ledgerSettings(config),
    metrics,
    logger,
    defineMissing: (ref) => defineMissing(ref),
    ...(archived && { archived }),
    nowMs,
  });
  const definitions = definitionPorts(sql, ledger);
  const defineMissing = createDefineMissing(definitions, nowMs);
  return { sql, ledger, definitions };
}

function definitionPorts(sql: Sql, ledger: Ledger): DefinitionPorts {
  return {
    sql,
    ledger: {
      define: (definition, deadlineMs) => ledger.define(definition, deadlineMs),
      readStock: (refs, deadlineMs) => ledger.read(deadlineMs, (reads) => reads.stock(refs, undefined)),
      readDefinitionBodies: (deadlineMs) => ledger.read(deadlineMs, (reads) => reads.definitionBodies()),
    },
    archive: archiveProgress(sql),
    newPromotionId: () => `p-${randomBytes(PROMOTION_ID_BYTES).toString('hex')}`,
  };
}

/** Keeps the promotions in force. @param name of the connection that hears of changes */
export function keepRules(
  { config, metrics, logger, nowMs }: Process,
  { sql, definitions }: Stores,
  name: string,
  follower?: RuleSetFollower,
): RuleSetKeeper {
  const { url, statementTimeoutMs, connectTimeoutMs } = config.database;
  const options = { applicationName: name, maxConnections: 1, statementTimeoutMs, connectTimeoutMs };
  return new RuleSetKeeper({
    sql,
    openListener: (events) => createDatabase(url, { ...options, ...events }),
    ledger: definitions.ledger,
    metrics,
    logger,
    pollMs: config.ruleSet.pollMs,
    nowMs,
    ...(follower && { follower }),
  });
}
