/**
 * Connections to Redis that never do anything twice behind our back.
 *
 * ioredis resends a command whose reply was lost, and queues commands while it is disconnected. Both are off here: a call
 * either gets its reply or fails, at once when there is no connection and after `commandTimeoutMs` at the latest, and
 * the ledger decides itself what may be tried again.
 */
import { Redis } from 'ioredis';

/** What a connection needs to know. Times in milliseconds. */
export interface LedgerConnectionSettings {
  readonly url: string;
  /** Longest wait for a reply. */
  readonly commandTimeoutMs: number;
  /** Silence on the socket, with a reply outstanding, after which it is replaced: a half-open link is found by this alone. */
  readonly socketTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

const FIRST_RECONNECT_MS = 20;
/** Short, because a partition stays closed until its keeper is back. */
const LONGEST_RECONNECT_MS = 100;

/** Opens a connection under `name` (shown by CLIENT LIST). It reconnects for ever; every call may fail. */
export function connectLedger(settings: LedgerConnectionSettings, name: string): Redis {
  return new Redis(settings.url, {
    protocol: 2,
    connectionName: name,
    connectTimeout: settings.connectTimeoutMs,
    commandTimeout: settings.commandTimeoutMs,
    socketTimeout: settings.socketTimeoutMs,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    retryStrategy: (attempt) => Math.min(FIRST_RECONNECT_MS * attempt, LONGEST_RECONNECT_MS),
  });
}

/** Resolves when the connection can take commands, or after `timeoutMs`; says which. */
export async function awaitReady(redis: Redis, timeoutMs: number): Promise<boolean> {
  if (redis.status === 'ready') return true;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const onReady = (): void => resolve(true);
  const timer = setTimeout(() => resolve(false), timeoutMs);
  redis.once('ready', onReady);
  const isReady = await promise;
  clearTimeout(timer);
  redis.off('ready', onReady);
  return isReady;
}
