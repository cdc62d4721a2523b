/** Chances that all random parts of a situation share. */
import fc from 'fast-check';

/** One of these, or nothing. */
export function maybe<Value>(...values: readonly Value[]): fc.Arbitrary<Value | undefined> {
  return fc.constantFrom(undefined, ...values);
}

/** The usual one, and now and then one of the others. */
export function mostly<Value>(usual: Value, ...others: readonly Value[]): fc.Arbitrary<Value> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
}

/** Leaves out what is undefined. */
export function known<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  const result: { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } = {};
  for (const key in fields) {
    const value = fields[key];
    if (isDefined(value)) result[key] = value;
  }
  return result;
}

function isDefined<Value>(value: Value): value is Exclude<Value, undefined> {
  return value !== undefined;
}
