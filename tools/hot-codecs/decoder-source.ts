/** Emits the functions that make a message from bytes. */
import type { DescField, DescMessage, DescOneof } from '@bufbuild/protobuf';
import { isOptional, scalarShape } from './field-shapes.ts';
import { indent } from './indent.ts';
import { UnsupportedError } from './unsupported.ts';

const LENGTH_DELIMITED = 2;

/** The exported `decodeX` of an outermost message. */
export function decodeFunction(message: DescMessage): string {
  const { name } = message;
  return `/** Reads a ${message.typeName}. Throws MalformedMessageError when the bytes are none. */
export function decode${name}(bytes: Uint8Array): ${name} {
  const reader = new WireReader(bytes);
  return read${name}(reader, reader.length, 1, new${name}());
}
`;
}

/** Whether a text is read as a shared string. */
export type IsShared = (field: DescField) => boolean;

/** `newX`, which makes an empty message, and `readX`, which merges a message from the wire into one. */
export function readFunctions(message: DescMessage, isShared: IsShared): string {
  const { name } = message;
  const cases = message.fields.map((field) => indent(fieldCase(field, isShared), 6)).join('\n');
  const empty = message.members.map((member) => `    ${member.localName}: ${emptyValue(member)},`).join('\n');
  return `function new${name}(): ${name} {
  return {
${empty}
  };
}

function read${name}(reader: WireReader, end: number, depth: number, message: ${name}): ${name} {
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag >>> 3) {
${cases}
      default:
        reader.skip(tag, depth);
    }
  }
  return message;
}
`;
}

function emptyValue(member: DescField | DescOneof): string {
  if (member.kind === 'oneof') return '{ case: undefined }';
  if (member.fieldKind === 'list') return '[]';
  if (member.fieldKind === 'map') return '{}';
  return isOptional(member) ? 'undefined' : scalarShape(member, 'decode').zero;
}

function fieldCase(field: DescField, isShared: IsShared): string {
  return `case ${field.number}:${readStatements(field, isShared)}`;
}

function readStatements(field: DescField, isShared: IsShared): string {
  const target = `message.${field.localName}`;
  switch (field.fieldKind) {
    case 'map':
      return mapStatements(field, target);
    case 'list':
      return listStatements(field, target, isShared);
    case 'message':
      if (field.delimitedEncoding) throw new UnsupportedError(field, 'groups');
      return field.oneof
        ? oneofMessageStatements(field, field.oneof)
        : `\n  ${target} = ${readMessage(field.message, target)};\n  break;`;
    default: {
      const value = `reader.${isShared(field) ? 'sharedString' : scalarShape(field, 'decode').method}()`;
      return field.oneof
        ? `\n  message.${field.oneof.localName} = { case: '${field.localName}', value: ${value} };\n  break;`
        : `\n  ${target} = ${value};\n  break;`;
    }
  }
}

/** A message that comes again is merged into the one that is there. */
function readMessage(message: DescMessage, existing?: string): string {
  const into = existing === undefined ? `new${message.name}()` : `${existing} ?? new${message.name}()`;
  return `read${message.name}(reader, reader.end(), depth + 1, ${into})`;
}

function oneofMessageStatements(field: DescField & { message: DescMessage }, oneof: DescOneof): string {
  return ` {
  const earlier = message.${oneof.localName};
  const existing = earlier.case === '${field.localName}' ? earlier.value : undefined;
  message.${oneof.localName} = { case: '${field.localName}', value: ${readMessage(field.message, 'existing')} };
  break;
}`;
}

function listStatements(field: DescField, target: string, isShared: IsShared): string {
  if (field.message !== undefined) return `\n  ${target}.push(${readMessage(field.message)});\n  break;`;
  const { method, wireType } = scalarShape(field, 'decode');
  const push = `${target}.push(reader.${isShared(field) ? 'sharedString' : method}());`;
  if (wireType === LENGTH_DELIMITED) return `\n  ${push}\n  break;`;
  return ` {
  if ((tag & 7) === ${LENGTH_DELIMITED}) {
    const last = reader.end();
    while (reader.position < last) ${push}
  } else {
    ${push}
  }
  break;
}`;
}

function mapStatements(field: DescField, target: string): string {
  const { method, zero } = scalarShape(field, 'decode');
  return ` {
  let key = '';
  let value = ${zero};
  const last = reader.end();
  while (reader.position < last) {
    const entryTag = reader.tag();
    if (entryTag >>> 3 === 1) key = reader.string();
    else if (entryTag >>> 3 === 2) value = reader.${method}();
    else reader.skip(entryTag, depth);
  }
  if (key === '__proto__') Object.defineProperty(${target}, key, { value, writable: true, enumerable: true, configurable: true });
  else ${target}[key] = value;
  break;
}`;
}
