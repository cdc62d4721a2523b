/** `scripts/apply.lua`, transcribed; a property test holds the two together. */
import { ScriptError, toNumber } from './bytes.ts';
import { argAt, keyAt, type ScriptCall, type ScriptReply, wholeId } from './script-context.ts';

interface FieldToApply {
  readonly key: string;
  readonly kind: string;
  readonly name: string;
  readonly value: string | undefined;
}

interface RecordToApply {
  readonly key: string;
  readonly kind: string;
  readonly fields: readonly FieldToApply[];
}

function readRecords(call: ScriptCall): RecordToApply[] {
  let at = 7;
  return call.keys.slice(2).map((key) => {
    const kind = argAt(call, at);
    const count = toNumber(argAt(call, at + 1)) ?? 0;
    at += 2;
    const fields = Array.from({ length: count }, () => {
      const value = argAt(call, at + 1) === '1' ? argAt(call, at + 2) : undefined;
      at += 3;
      return { key, kind, name: argAt(call, at - 3), value };
    });
    return { key, kind, fields };
  });
}

/** The stream ends where the caller thinks it does. */
function isAtExpected(call: ScriptCall): boolean {
  const last = call.keyspace.stream(keyAt(call, 1))?.entries.at(-1);
  const expected = argAt(call, 3);
  if (expected === '') return last === undefined;
  return last !== undefined && `${last.generation}-${last.seq}` === `${argAt(call, 1)}-${expected}`;
}

function wrongOf({ keyspace }: ScriptCall, records: readonly RecordToApply[]): string | undefined {
  for (const { key, kind, fields } of records) {
    const found = keyspace.type(key);
    if (found !== kind && found !== 'none') return `WRONGTYPE ${key}`;
    const isBad = fields.some(
      ({ value }) => kind === 'zset' && value !== undefined && toNumber(value) === undefined,
    );
    if (isBad) return `ERR no score for ${key}`;
  }
  return undefined;
}

function applyField({ keyspace }: ScriptCall, { key, kind, name, value }: FieldToApply): void {
  if (kind === 'zset') {
    if (value === undefined) keyspace.removeMember(key, name);
    else keyspace.addMember(key, name, Number(value));
  } else if (value === undefined) {
    keyspace.removeField(key, name);
  } else {
    keyspace.setField(key, name, value);
  }
}

/** Carries the script out. */
export function runApply(call: ScriptCall): ScriptReply {
  const { keyspace, faults } = call;
  const [stream, meta] = [keyAt(call, 1), keyAt(call, 2)];
  if (keyspace.field(meta, 'open') === call.runId) return 0;
  if (!isAtExpected(call)) return 0;
  const records = readRecords(call);
  const wrong = wrongOf(call, records);
  if (wrong !== undefined) throw new ScriptError(wrong);
  keyspace.append(stream, wholeId(argAt(call, 1)), wholeId(argAt(call, 2)), argAt(call, 4));
  keyspace.setField(meta, 'generation', argAt(call, 1));
  keyspace.setField(meta, 'time', argAt(call, 5));
  keyspace.setField(meta, 'events', argAt(call, 6));
  if (!faults.has('apply-without-values'))
    for (const { fields } of records) for (const field of fields) applyField(call, field);
  return 1;
}
