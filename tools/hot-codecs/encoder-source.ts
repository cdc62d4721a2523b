/** Emits the functions that make bytes from a message; back to front, as WireWriter wants it. */
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { DURATION, type IsEncoded, isOptional, scalarShape, TIMESTAMP } from './field-shapes.ts';
import { indent } from './indent.ts';
import { UnsupportedError } from './unsupported.ts';

/** The exported `encodeX` of an outermost message. */
export function encodeFunction(message: DescMessage): string {
  const { name } = message;
  return `/** Writes a ${message.typeName}. Throws RangeError for a number its field cannot hold. */
export function encode${name}(message: ${name}): Buffer {
  writer.start();
  write${name}(message);
  return writer.finish();
}
`;
}

/** `writeX`, which puts the fields of a message before what was written so far. */
export function writeFunction(message: DescMessage, isEncoded: IsEncoded): string {
  const fields = message.fields.toSorted((a, b) => b.number - a.number);
  const body = fields.map((field) => indent(fieldStatements(field, isEncoded), 2)).join('\n');
  return `function write${message.name}(message: ${message.name}): void {
${body}
}
`;
}

function fieldStatements(field: DescField, isEncoded: IsEncoded): string {
  const source = `message.${field.localName}`;
  if (field.fieldKind === 'list') return listStatements(field, source, isEncoded);
  if (field.fieldKind === 'map') return mapStatements(field, source);
  if (field.oneof) {
    const oneof = `message.${field.oneof.localName}`;
    return `if (${oneof}.case === '${field.localName}') {\n${indent(valueStatements(field, `${oneof}.value`, isEncoded), 2)}\n}`;
  }
  return `if (${presence(field, source)}) {\n${indent(valueStatements(field, source, isEncoded), 2)}\n}`;
}

function presence(field: DescField, source: string): string {
  if (isOptional(field)) return `${source} !== undefined`;
  const { method, zero } = scalarShape(field, 'encode');
  return method === 'bytes' ? `${source}.byteLength > 0` : `${source} !== ${zero}`;
}

/** Writes one value, its length if it has one, and its tag. */
function valueStatements(field: DescField, value: string, isEncoded: IsEncoded): string {
  if (isEncoded(field)) return `writer.bytes(${value});\n${tagStatement(field.number, 2)}`;
  if (field.message === undefined) {
    const { method, wireType } = scalarShape(field, 'encode');
    return `writer.${method}(${value});\n${tagStatement(field.number, wireType)}`;
  }
  return `${messageStatements(field, field.message, value)}\n${tagStatement(field.number, 2)}`;
}

function messageStatements(field: DescField, message: DescMessage, value: string): string {
  if ('delimitedEncoding' in field && field.delimitedEncoding) throw new UnsupportedError(field, 'groups');
  if (message.typeName === TIMESTAMP) return `writer.timestamp(${value});`;
  if (message.typeName === DURATION) return `writer.duration(${value});`;
  const before = `before${field.number}`;
  return `const ${before} = writer.size;\nwrite${message.name}(${value});\nwriter.lengthSince(${before});`;
}

function listStatements(
  field: DescField & { fieldKind: 'list' },
  source: string,
  isEncoded: IsEncoded,
): string {
  const loop = (body: string): string => `for (let index = ${source}.length - 1; index >= 0; index--) {
  const item = ${source}[index];
  if (item === undefined) continue;
${indent(body, 2)}
}`;
  if (!field.packed) return loop(valueStatements(field, 'item', isEncoded));
  return `if (${source}.length > 0) {
  const before${field.number} = writer.size;
${indent(loop(`writer.${scalarShape(field, 'encode').method}(item);`), 2)}
  writer.lengthSince(before${field.number});
  ${tagStatement(field.number, 2)}
}`;
}

function mapStatements(field: DescField, source: string): string {
  const { method, wireType } = scalarShape(field, 'encode');
  return `for (const [key, value] of Object.entries(${source}).reverse()) {
  const before${field.number} = writer.size;
  writer.${method}(value);
  ${tagStatement(2, wireType)}
  writer.string(key);
  ${tagStatement(1, 2)}
  writer.lengthSince(before${field.number});
  ${tagStatement(field.number, 2)}
}`;
}

function tagStatement(number: number, wireType: 0 | 2): string {
  return `writer.tag(${number * 8 + wireType});`;
}
