/**
 * The ledger as its own events tell it: every record folded from post-images, beside the records Redis really has. It goes back
 * together with Redis when a restart loses what was not synced.
 */
import { appliedValue, type LedgerEvent } from '../../../src/ledger/event-format.ts';
import { partitionKeys } from '../../../src/ledger/keys.ts';
import { bytesOf } from '../redis/bytes.ts';
import type { Keyspace } from '../redis/keyspace.ts';

const KEYS = partitionKeys(0);

const PREFIXES: ReadonlyMap<string, string> = new Map([
  ['wallet', KEYS.walletPrefix],
  ['promotion', KEYS.promotionPrefix],
  ['order', KEYS.orderPrefix],
  ['account', KEYS.accountPrefix],
  ['usage', KEYS.usagePrefix],
  ['index', KEYS.index],
  ['due', KEYS.due],
]);

/** The key of a record an event, or the archive, names. */
export function keyOf({ target, id }: { readonly target: string; readonly id: string }): string {
  const prefix = PREFIXES.get(target);
  if (prefix === undefined) throw new RangeError(`no records of class ${target} here`);
  return prefix + id;
}

/** Applies one event. */
export function applyEvent(keyspace: Keyspace, { writes }: LedgerEvent, seq: number): void {
  for (const write of writes) {
    const key = keyOf(write);
    for (const { field, value: written } of write.fields) {
      const [name, value] = [bytesOf(field), appliedValue(field, written, seq)];
      if (write.target === 'due') {
        if (value === undefined) keyspace.removeMember(key, name);
        else keyspace.addMember(key, name, Number(value));
      } else if (value === undefined) keyspace.removeField(key, name);
      else keyspace.setField(key, name, bytesOf(value));
    }
  }
}

/** A record as text, for comparison. */
export function dumpRecord(keyspace: Keyspace, key: string): string {
  const kind = keyspace.type(key);
  if (kind === 'none' || kind === 'stream') return '';
  const record = kind === 'hash' ? keyspace.hash(key) : keyspace.set(key);
  return JSON.stringify([...(record ?? [])].sort(([one], [other]) => (one < other ? -1 : 1)));
}
