import type { RecordImage } from './apply-write.ts';
import type { Check } from './check.ts';

/** Breaches for every field in which `seen` is not `expected`; fields nobody expects are breaches unless `mayHaveMore`. */
export function compareFields(
  check: Check,
  what: string,
  seen: RecordImage,
  expected: RecordImage,
  mayHaveMore: boolean,
): void {
  for (const [field, value] of expected) {
    if (!seen.has(field)) check.breach(`${what} lacks field ${toHex(field)}`);
    else
      check.require(
        seen.get(field) === value,
        () => `${what} differs from the events in field ${toHex(field)}`,
      );
  }
  if (mayHaveMore) return;
  for (const field of seen.keys()) {
    check.require(expected.has(field), () => `${what} has field ${toHex(field)}, which no event wrote`);
  }
}

function toHex(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('hex');
}
