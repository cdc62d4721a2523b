/**
 * Partitions of a ledger in memory, as far as leases need them: records of fields, transactions carried out whole or not at
 * all, claims, definitions, and servers that lose what nobody was answered for.
 */
import type { Fields } from '../../src/ledger/leases/lease-shape.ts';
import type { Outcome, RecordName, Step, Transaction } from '../../src/ledger/transaction.ts';

type Written = Map<string, Buffer | undefined>;

interface Undo {
  readonly key: string;
  readonly before: Map<string, Buffer> | undefined;
}

/** One partition; see the module's comment. */
export class SimulatedPartition {
  private readonly records = new Map<string, Map<string, Buffer>>();
  /** Newest last: how to take back what nobody was answered for, all that happened at once together. */
  private undo: Undo[][] = [];
  private group: Undo[] | undefined;

  /** All fields of a record. */
  read(on: RecordName): Fields {
    return new Map(this.records.get(keyOf(on)));
  }

  /** Text of a field; undefined when it is absent. */
  text(on: RecordName, field: string): string | undefined {
    return this.records.get(keyOf(on))?.get(field)?.toString('latin1');
  }

  /** A whole number; 0 when it is absent. */
  number(on: RecordName, field: string): number {
    return Number(this.text(on, field) ?? 0);
  }

  /** Does all of it or, where a server dies, nothing. */
  atOnce<Result>(work: () => Result): Result {
    this.group = [];
    const result = work();
    if (this.group.length > 0) this.undo.push(this.group);
    this.group = undefined;
    return result;
  }

  /** Gives fields of a record these texts. */
  write(on: RecordName, fields: Readonly<Record<string, string | number>>): void {
    const texts = Object.entries(fields).map(
      ([field, value]) => [field, Buffer.from(String(value), 'latin1')] as const,
    );
    this.put(keyOf(on), new Map(texts));
  }

  /** Carries out a transaction. */
  transact({ steps }: Transaction, nowMs: number): Outcome {
    const written = new Map<string, Written>();
    const sums: number[] = [];
    for (const [index, step] of steps.entries()) {
      const stopped = this.work(step, index, written, sums, nowMs);
      if (stopped !== undefined) return stopped;
    }
    this.atOnce(() => {
      for (const [key, fields] of written) this.put(key, fields);
    });
    return { kind: 'done', nowMs, sums };
  }

  /** Whoever is answered now can rely on everything up to here. */
  keep(): void {
    this.undo = [];
  }

  /** Loses up to so many of the last writes, none that was kept. */
  lose(writes: number): void {
    for (let lost = 0; lost < writes; lost += 1) {
      for (const { key, before } of this.undo.pop()?.reverse() ?? []) {
        if (before === undefined) this.records.delete(key);
        else this.records.set(key, before);
      }
    }
  }

  private put(key: string, fields: Written): void {
    const before = this.records.get(key);
    this.group?.push({ key, before });
    const after = new Map(before);
    for (const [field, value] of fields) {
      if (value === undefined) after.delete(field);
      else after.set(field, value);
    }
    this.records.set(key, after);
  }

  private work(
    step: Step,
    index: number,
    written: Map<string, Written>,
    sums: number[],
    nowMs: number,
  ): Outcome | undefined {
    if (!('on' in step)) throw new TypeError(`no lease needs ${step.kind}`);
    const key = keyOf(step.on);
    const name = step.field.toString('latin1');
    const own = written.get(key) ?? new Map<string, Buffer | undefined>();
    const value = own.has(name) ? own.get(name) : this.records.get(key)?.get(name);
    const set = (bytes: Buffer): void => {
      written.set(key, own.set(name, bytes));
    };
    switch (step.kind) {
      case 'expect':
        return value?.equals(step.value) === true
          ? undefined
          : { kind: 'differs', nowMs, step: index, value };
      case 'absent':
        return value === undefined ? undefined : { kind: 'differs', nowMs, step: index, value };
      case 'set':
        set(step.value);
        return undefined;
      case 'add': {
        const before = Number(value?.toString('latin1') ?? 0);
        const after = before + step.delta;
        if (after < (step.min ?? 0) || after > (step.max ?? Number.MAX_SAFE_INTEGER))
          return { kind: 'out_of_bounds', nowMs, step: index, value: before };
        set(Buffer.from(String(after)));
        sums.push(after);
        return undefined;
      }
      default:
        throw new TypeError(`no lease needs ${step.kind}`);
    }
  }
}

function keyOf({ record, id }: RecordName): string {
  return `${record}:${id}`;
}
