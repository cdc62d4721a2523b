/**
 * What is asked about users in one turn of the event loop is read in one round trip. The latest deadline bounds it; who asked
 * for less hears DEADLINE_EXCEEDED when his own passes, and nobody else does.
 */
import { Refusal } from '../domain/refusal.ts';
import { currentSpan } from '../telemetry/tracing/current-span.ts';
import type { SpanStart } from '../telemetry/tracing/span.ts';
import { sharedWork } from '../telemetry/tracing/traced-work.ts';
import { asRefusal } from './as-refusal.ts';
import { type DeadlineWatch, type Expiring, NOT_WATCHED } from './deadline-watch.ts';

/** Hears once what was read, or why it was not. */
type OnRead<Value> = (value: Value | Refusal) => void;

/** What is read, and how. */
interface TurnReadsPorts<Ask, Value> {
  /** Answers in the order asked; throws a refusal when the ledger does not answer. */
  readonly readAll: (asks: readonly Ask[], deadlineMs: number) => Promise<readonly Value[]>;
  /** One question that covers both; they are about the same user. */
  readonly together: (one: Ask, other: Ask) => Ask;
  readonly deadlines: DeadlineWatch;
}

/** Users in one round trip; more would make the first wait for the last. */
const USERS_PER_READ = 128;

const TOO_SLOW = new Refusal('DEADLINE_EXCEEDED', 'The deadline passed before the wallet was read');
const TURN_START = (): SpanStart => ({ name: 'read wallets', kind: 'internal', attributes: {} });
const NOT_READ = 'The wallet could not be read';

interface Wanted<Ask, Value> {
  ask: Ask;
  readonly waiters: Waiter<Value>[];
}

/** Gathers the questions of a turn; see the module's comment. */
export class TurnReads<Ask extends { readonly userId: string }, Value> {
  private readonly ports: TurnReadsPorts<Ask, Value>;
  private waiting = new Map<string, Wanted<Ask, Value>>();

  constructor(ports: TurnReadsPorts<Ask, Value>) {
    this.ports = ports;
  }

  /** Reads what is asked about a user, or more, for one who wants to know by the deadline. */
  read(ask: Ask, deadlineMs: number, onRead: OnRead<Value>): void {
    if (this.waiting.size === 0) setImmediate(() => this.sendAll());
    const waiter = new Waiter(this.ports.deadlines, deadlineMs, onRead);
    const others = this.waiting.get(ask.userId);
    if (others === undefined) {
      this.waiting.set(ask.userId, { ask, waiters: [waiter] });
    } else {
      others.ask = this.ports.together(others.ask, ask);
      others.waiters.push(waiter);
    }
  }

  private sendAll(): void {
    const wanted = [...this.waiting.values()];
    this.waiting = new Map();
    for (let start = 0; start < wanted.length; start += USERS_PER_READ) {
      void this.send(wanted.slice(start, start + USERS_PER_READ));
    }
  }

  private async send(wanted: readonly Wanted<Ask, Value>[]): Promise<void> {
    const asks = wanted.map(({ ask }) => ask);
    const deadlineMs = Math.max(...wanted.flatMap(({ waiters }) => waiters.map((one) => one.deadlineMs)));
    let values: readonly (Value | Refusal)[];
    try {
      const waiting = wanted.flatMap(({ waiters }) => waiters);
      values = await sharedWork(waiting, TURN_START, () => this.ports.readAll(asks, deadlineMs));
    } catch (error) {
      const refusal = asRefusal(error, NOT_READ);
      values = asks.map(() => refusal);
    }
    for (const [index, { waiters }] of wanted.entries()) {
      const value = values[index] ?? new Refusal('INTERNAL', NOT_READ);
      for (const waiter of waiters) waiter.hear(value);
    }
  }
}

/** One who asked. */
class Waiter<Value> implements Expiring {
  readonly deadlineMs: number;
  readonly span = currentSpan();
  watchedAt = NOT_WATCHED;
  private readonly deadlines: DeadlineWatch;
  private onRead: OnRead<Value> | undefined;

  constructor(deadlines: DeadlineWatch, deadlineMs: number, onRead: OnRead<Value>) {
    this.deadlines = deadlines;
    this.deadlineMs = deadlineMs;
    this.onRead = onRead;
    deadlines.watch(this);
  }

  hear(value: Value | Refusal): void {
    const { onRead } = this;
    this.onRead = undefined;
    this.deadlines.forget(this);
    onRead?.(value);
  }

  expire(): void {
    this.hear(TOO_SLOW);
  }
}
