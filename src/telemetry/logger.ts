/** Structured logs on standard output: stable field names, no secret, no person. */
import { type DestinationStream, type Logger, pino } from 'pino';
import { currentSpan } from './tracing/current-span.ts';

export type { Logger } from 'pino';

/** What a logger needs to know about its process. */
export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Role of the process, shown on every line. */
  readonly role: string;
}

/**
 * Names of what can happen, as the field `event` of a log line; alerts and searches rely on them. `info` is a change of
 * state, `warn` a degraded state, `error` means that somebody must act.
 */
export const LOG_EVENTS = {
  serviceStarted: 'service_started',
  serviceStopped: 'service_stopped',
  drainStarted: 'drain_started',
  drainForced: 'drain_forced',
  openDoor: 'authentication_off',
  keysUnavailable: 'keys_unavailable',
  tlsReloaded: 'tls_reloaded',
  tlsReloadFailed: 'tls_reload_failed',
  callFailed: 'call_failed',
  ledgerDurability: 'ledger_durability',
  ledgerConnection: 'ledger_connection',
  ledgerGeneration: 'ledger_generation',
  codeUnsettled: 'code_unsettled',
  ledgerClosed: 'ledger_closed',
  ledgerOpened: 'ledger_opened',
  ledgerLeft: 'ledger_left',
  ledgerScriptFailed: 'ledger_script_failed',
  archiveOwned: 'archive_owned',
  archiveLost: 'archive_lost',
  archiveFlushFailed: 'archive_flush_failed',
  archiveFork: 'archive_fork',
  archiveQuarantined: 'archive_quarantined',
  archiveBacklog: 'archive_backlog',
  ruleSetLoaded: 'rule_set_loaded',
  ruleSetLoadFailed: 'rule_set_load_failed',
  definitionOutbox: 'definition_outbox',
  eventFailed: 'event_failed',
  ruleFault: 'rule_fault',
  evaluationFailed: 'evaluation_failed',
  jobLead: 'job_lead',
  jobRun: 'job_run',
  jobFailed: 'job_failed',
  logSegmentDetached: 'log_segment_detached',
  logSegmentHeld: 'log_segment_held',
  webhookFailed: 'webhook_failed',
  deadLetter: 'dead_letter',
  message: 'message',
  userErased: 'user_erased',
  sealedUnreadable: 'sealed_unreadable',
  tracesUnsent: 'traces_unsent',
} as const;

/** Fields that may hold a token, an argument of a command or a phone number, at the depths at which they occur. */
const SECRET_FIELDS = ['authorization', 'token', 'password', 'secret', 'phone'];
const REDACTED_PATHS = [
  ...SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
  // ioredis puts the arguments of a failed command (wallet keys, payloads) on the error.
  ...['err', 'cause', 'err.cause', 'err.previousErrors[*]'].flatMap((path) => [
    `${path}.command.args`,
    `${path}.args`,
  ]),
];

const STANDARD_OUTPUT = 1;

/** By these a line is found from its trace and the other way round. */
function traceFields(): Readonly<Record<string, string>> {
  const span = currentSpan();
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
}

/**
 * The logger of a process. The destination is standard output unless a test passes its own.
 *
 * A line is written before the call returns, so the last words of a process are never lost. When nobody reads them any more, logging ends and
 * the process goes on; pino's writing in the background would hang at exit then, since its last flush tries a closed pipe for ever. A reader
 * that stands still holds up the process, as it does with any line written at once.
 */
export function createLogger(options: LoggerOptions, destination?: DestinationStream): Logger {
  const settings = {
    level: options.level,
    base: { role: options.role },
    messageKey: 'message',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    mixin: traceFields,
    redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
  };
  return pino(settings, destination ?? pino.destination({ dest: STANDARD_OUTPUT, sync: true }));
}
