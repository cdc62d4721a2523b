/** Reads that are asked for in one turn of the event loop travel in one round trip. */

import type { Refusal } from '../domain/refusal.ts';
import { asRefusal } from './as-refusal.ts';

/** Hears what was read, or why it was not. */
export type OnRead<Value> = (value: Value | Refusal) => void;

interface Wanted<Value> {
  readonly key: string;
  readonly deadlineMs: number;
  readonly onRead: OnRead<Value>;
}

/** Keys in one round trip; more would make the first wait for the last. */
const KEYS_PER_READ = 128;

/** Gathers reads by key. `read` answers in the order asked and throws a refusal when it cannot. */
export class TurnReads<Value> {
  private readonly readAll: (keys: readonly string[], deadlineMs: number) => Promise<readonly Value[]>;
  private waiting: Wanted<Value>[] = [];

  constructor(readAll: (keys: readonly string[], deadlineMs: number) => Promise<readonly Value[]>) {
    this.readAll = readAll;
  }

  /** Reads one key for somebody who wants to know by the deadline. */
  read(key: string, deadlineMs: number, onRead: OnRead<Value>): void {
    if (this.waiting.length === 0) setImmediate(() => this.sendAll());
    this.waiting.push({ key, deadlineMs, onRead });
  }

  private sendAll(): void {
    const wanted = this.waiting;
    this.waiting = [];
    for (let start = 0; start < wanted.length; start += KEYS_PER_READ) {
      void this.send(wanted.slice(start, start + KEYS_PER_READ));
    }
  }

  /** The earliest deadline bounds the read: nobody waits longer than he asked for. */
  private async send(wanted: readonly Wanted<Value>[]): Promise<void> {
    const deadlineMs = Math.min(...wanted.map((one) => one.deadlineMs));
    const keys = wanted.map(({ key }) => key);
    let values: readonly Value[];
    try {
      values = await this.readAll(keys, deadlineMs);
    } catch (error) {
      const refusal = asRefusal(error, 'The ledger could not be read');
      for (const { onRead } of wanted) onRead(refusal);
      return;
    }
    wanted.forEach(({ onRead }, index) => {
      const value = values[index];
      if (value !== undefined) onRead(value);
    });
  }
}
