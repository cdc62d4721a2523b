/**
 * Refuses moments and spans whose nanoseconds make up more than a second or less than nothing. The format forbids them, its
 * readers let them through, and bounds look at the seconds first: such a moment can lie before 1970 although its bound holds.
 */
import type { DescMessage, Message } from '@bufbuild/protobuf';
import { isReflectMessage, type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import { invalidRequest } from '../domain/invalid-request.ts';
import { hasOddNanos, ODD_NANOS } from './checks.ts';

/**
 * Looks at every moment and span of a decoded request.
 *
 * @throws Refusal INVALID_REQUEST naming every such field.
 */
export function refuseOddTimes(schema: DescMessage, request: Message): void {
  if (!holdsTimes(schema)) return;
  const fields = [...oddTimesIn(reflect(schema, request, false), '')];
  if (fields.length > 0) throw invalidRequest(fields.map((field) => ({ field, description: ODD_NANOS })));
}

/** Paths of the odd ones. Maps of the contract hold none. */
function* oddTimesIn(message: ReflectMessage, prefix: string): Generator<string> {
  for (const field of message.fields) {
    if (field.message === undefined || !holdsTimes(field.message) || !message.isSet(field)) continue;
    const path = `${prefix}${field.name}`;
    if (field.fieldKind === 'message') yield* oddTimesAt(message.get(field), path);
    if (field.fieldKind === 'list' && field.listKind === 'message') {
      for (const [index, item] of [...message.get(field)].entries())
        if (isReflectMessage(item)) yield* oddTimesAt(item, `${path}[${index}]`);
    }
  }
}

function* oddTimesAt(value: ReflectMessage, path: string): Generator<string> {
  if (!isTime(value.desc)) yield* oddTimesIn(value, `${path}.`);
  else if (hasOddNanos({ nanos: 0, ...value.message })) yield path;
}

const isTime = ({ typeName }: DescMessage): boolean =>
  typeName === 'google.protobuf.Timestamp' || typeName === 'google.protobuf.Duration';

const holders = new WeakMap<DescMessage, boolean>();

/** Whether there can be one anywhere in a message: most requests have none, and are not looked through. */
function holdsTimes(schema: DescMessage): boolean {
  const known = holders.get(schema);
  if (known !== undefined) return known;
  const seen = new Set([schema]);
  for (const desc of seen)
    for (const { message } of desc.fields) if (message !== undefined) seen.add(message);
  const holds = [...seen].some(isTime);
  holders.set(schema, holds);
  return holds;
}
