import { connect, type Socket } from 'node:net';
import postgres from 'postgres';
import { Refusal } from '../domain/refusal.ts';
import { isDatabaseDown } from './database-faults.ts';
import { tracedStatement } from './traced-statement.ts';

/** A pool of Postgres connections; the tagged template is the only way to write SQL. */
export type Sql = postgres.Sql;

/** How a pool is set up; every time is in milliseconds. */
export interface DatabaseOptions {
  /** Shown in `pg_stat_activity`, so that an operator sees which role holds a connection. */
  readonly applicationName: string;
  readonly maxConnections: number;
  /** The server ends a statement after this; it also bounds how long a dead link keeps a connection busy. */
  readonly statementTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Called with the channel and payload of each notification that arrives on one of this pool's connections. */
  readonly onNotification?: (channel: string, payload: string) => void;
  /** Called when any connection of this pool has closed. */
  readonly onClose?: () => void;
}

/** A statement waits this share of its own time for a lock, so that lock trouble is told apart from slowness. */
const LOCK_SHARE = 0.8;
/** After its statement time-out the server has this long to say so before the link is taken for dead. */
const ANSWER_GRACE_MS = 5_000;
/** The driver's own pause grows to 20 s, which would be the recovery time of every pool after an outage. */
const RECONNECT_PAUSE_SECONDS = 0.1;
const KEEP_ALIVE_SECONDS = 10;
const DEFAULT_PORT = 5432;

/**
 * Opens a pool. No connection is made before the first statement, so this never fails because Postgres is down.
 *
 * Two habits of the driver shape how callers write: a multi-step `sql.begin` callback can go on outside its
 * transaction when the connection dies in the middle, so every write is one statement; and cancelling a statement
 * can end the process with an unhandled rejection, so time limits are the server's (`statement_timeout`) and
 * `withDeadline` only stops waiting.
 */
export function createDatabase(url: string, options: DatabaseOptions): Sql {
  const settings = {
    max: options.maxConnections,
    connect_timeout: options.connectTimeoutMs / 1_000,
    backoff: () => RECONNECT_PAUSE_SECONDS,
    keep_alive: KEEP_ALIVE_SECONDS,
    max_lifetime: null,
    // The driver would ask every new connection for the array types and leave a failure of that query unhandled, which
    // ends the process when the connection dies at that moment. Arrays travel as literals (array-literal.ts) or as JSON.
    fetch_types: false,
    connection: {
      application_name: options.applicationName,
      statement_timeout: options.statementTimeoutMs,
      lock_timeout: Math.ceil(options.statementTimeoutMs * LOCK_SHARE),
      idle_in_transaction_session_timeout: options.statementTimeoutMs,
    },
    onnotice: () => {},
    ...(options.onClose && { onclose: options.onClose }),
    ...(options.onNotification && { onnotify: options.onNotification }),
    ...guardedSocket(url, options.statementTimeoutMs + ANSWER_GRACE_MS),
  };
  return postgres(url, settings);
}

/**
 * Sockets that notice a dead peer. A half-open link otherwise keeps its connection busy until the kernel gives up,
 * about a quarter of an hour later. Links with TLS or over a Unix socket, and addresses with several hosts, keep the
 * driver's own sockets: bytes are not visible under TLS, and trying the next host is the driver's business.
 */
function guardedSocket(url: string, silenceMs: number): { socket?: () => Socket } {
  const parsed = URL.parse(url);
  const plain = parsed?.hostname && !parsed.hostname.includes(',') && !wantsTls(parsed.searchParams);
  if (!plain) return {};
  const { hostname, port } = parsed;
  return {
    socket: () => openGuarded(hostname.replace(/^\[|\]$/g, ''), Number(port || DEFAULT_PORT), silenceMs),
  };
}

function wantsTls(parameters: URLSearchParams): boolean {
  return ['ssl', 'sslmode'].some((name) => !['disable', 'false', null].includes(parameters.get(name)));
}

function openGuarded(host: string, port: number, silenceMs: number): Socket {
  const socket = connect({ host, port, noDelay: true });
  let answeredUpTo = 0;
  socket.on('data', () => {
    answeredUpTo = socket.bytesWritten;
  });
  socket.setTimeout(silenceMs, () => {
    const waiting = socket.bytesWritten > answeredUpTo;
    if (waiting) socket.destroy(new Error(`Postgres at ${host}:${port} was silent for ${silenceMs} ms`));
  });
  return socket;
}

/**
 * The rows of a statement, or a refusal once `deadlineMs` (absolute, epoch milliseconds) has passed.
 *
 * The statement itself is not stopped: its outcome is then unknown, which is what DEADLINE_EXCEEDED says. A Postgres
 * that cannot be reached becomes ARCHIVE_UNAVAILABLE; any other error (a constraint, a mistake in the SQL) is thrown
 * as it is.
 */
export async function withDeadline<T>(statement: PromiseLike<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const waitMs = Math.max(0, deadlineMs - Date.now());
    timer = setTimeout(
      () => reject(new Refusal('DEADLINE_EXCEEDED', 'the database did not answer in time')),
      waitMs,
    );
  });
  try {
    return await tracedStatement(() => Promise.race([statement, late]));
  } catch (error) {
    throw isDatabaseDown(error) ? unavailable(error) : error;
  } finally {
    clearTimeout(timer);
  }
}

function unavailable(cause: unknown): Refusal {
  return new Refusal('ARCHIVE_UNAVAILABLE', 'the database cannot be reached at the moment', { cause });
}
