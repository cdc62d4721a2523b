import type { DescMessage } from '@bufbuild/protobuf';
import { type Direction, type IsEncoded, isTime } from './field-shapes.ts';
import { UnsupportedError } from './unsupported.ts';

/**
 * The messages a codec needs for `roots`: these and all that are nested in them and not encoded already, each once, users
 * before the used.
 * Throws for a recursive message (the codecs have no depth limit of their own), for two messages of one name, and for
 * library messages with a meaning of their own.
 */
export function reachableMessages(
  roots: readonly DescMessage[],
  direction: Direction,
  isEncoded: IsEncoded,
): DescMessage[] {
  const found = new Map<string, DescMessage>();
  const visit = (message: DescMessage, above: readonly DescMessage[]): void => {
    if (above.includes(message)) throw new UnsupportedError(message, 'recursive messages');
    if (direction === 'encode' && isTime(message)) return;
    refuseUnknownLibraryMessage(message);
    const known = found.get(message.name);
    if (known !== undefined && known !== message)
      throw new UnsupportedError(message, `a second message ${message.name}`);
    found.set(message.name, message);
    for (const field of message.fields) {
      if (field.message !== undefined && !isEncoded(field)) visit(field.message, [...above, message]);
    }
  };
  for (const root of roots) visit(root, []);
  return [...found.values()];
}

function refuseUnknownLibraryMessage(message: DescMessage): void {
  if (message.typeName.startsWith('google.protobuf.') && !isTime(message)) {
    throw new UnsupportedError(message, 'this library message');
  }
}
