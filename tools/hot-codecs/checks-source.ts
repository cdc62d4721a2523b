/** Emits the functions that find what protovalidate would find wrong with a message. */
import { type DescField, type DescMessage, getOption, isFieldSet } from '@bufbuild/protobuf';
import {
  type FieldRules,
  FieldRulesSchema,
  field as fieldExtension,
  Ignore,
  MessageRulesSchema,
  message as messageExtension,
  oneof as oneofExtension,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { ODD_NANOS } from '../../src/wire/checks.ts';
import { DURATION, isOptional, scalarShape, TIMESTAMP } from './field-shapes.ts';
import { indent } from './indent.ts';
import { UnsupportedError } from './unsupported.ts';
import { refuseOtherRules, type ValueCheck } from './value-check.ts';
import { type PatternNames, valueChecks } from './value-checks.ts';

/** The exported `violationsOfX` of an outermost message. */
export function violationsFunction(message: DescMessage, patterns: PatternNames): string {
  const { name } = message;
  const checked = checkStatements(message, patterns) !== '';
  const body = checked
    ? `  const found: FieldViolation[] = [];
  check${name}(message, found);
  return found.length === 0 ? NO_VIOLATIONS : found;`
    : '  return NO_VIOLATIONS;';
  return `/** Everything protovalidate would find wrong with a ${message.typeName}; empty when it is valid. */
export function violationsOf${name}(message: ${name}): readonly FieldViolation[] {
${body}
}
`;
}

/** `checkX`, which adds what is wrong to a list, with field paths that start at X; empty when X has no rules. */
export function checkFunction(message: DescMessage, patterns: PatternNames): string {
  const body = checkStatements(message, patterns);
  if (body === '') return '';
  return `function check${message.name}(message: ${message.name}, found: FieldViolation[]): void {
${indent(body, 2)}
}
`;
}

function checkStatements(message: DescMessage, patterns: PatternNames): string {
  refuseOtherRules(message, MessageRulesSchema, getOption(message, messageExtension), []);
  const fields = message.fields.map((field) => fieldStatements(field, patterns));
  const oneofs = message.oneofs
    .filter((oneof) => getOption(oneof, oneofExtension).required)
    .map((oneof) =>
      pushIf(
        {
          fails: `message.${oneof.localName}.case === undefined`,
          description: 'exactly one field is required in oneof',
        },
        quote(oneof.name),
      ),
    );
  return [...fields, ...oneofs].filter((statements) => statements !== '').join('\n');
}

function fieldStatements(field: DescField, patterns: PatternNames): string {
  const rules = getOption(field, fieldExtension);
  refuseUnknownFieldRules(field, rules);
  if (rules.ignore === Ignore.ALWAYS) return '';
  const value = field.oneof ? 'value' : `message.${field.localName}`;
  const checks = [
    ...valueChecks(field, rules, value, patterns).map((check) => pushIf(check, quote(field.name))),
    ...nanosChecks(field, value).map((check) => pushIf(check, quote(field.name))),
    nestedStatements(field, rules, value, patterns),
  ].filter((statement) => statement !== '');
  return guarded(field, rules, checks.join('\n'));
}

/** Beyond protovalidate: what the general decoding refuses in every other request, see `src/wire/odd-times.ts`. */
function nanosChecks(field: DescField, value: string): ValueCheck[] {
  const type = field.message?.typeName;
  if (type !== TIMESTAMP && type !== DURATION) return [];
  if (field.fieldKind !== 'message') throw new UnsupportedError(field, 'several times in one field');
  return [{ fails: `hasOddNanos(${value})`, description: ODD_NANOS }];
}

/** Applies `required` and `ignore`, and skips fields that are absent. */
function guarded(field: DescField, rules: FieldRules, checks: string): string {
  const isSet = presence(field);
  const when =
    isTracked(field) || rules.ignore === Ignore.IF_ZERO_VALUE || rules.required ? isSet : undefined;
  const missing = `found.push({ field: ${quote(field.name)}, description: 'value is required' });`;
  const inside =
    field.oneof && checks !== '' ? `const { value } = message.${field.oneof.localName};\n${checks}` : checks;
  if (inside === '') return rules.required ? `if (!(${isSet})) ${missing}` : '';
  const block = when === undefined ? inside : `if (${when}) {\n${indent(inside, 2)}\n}`;
  return rules.required ? `${block} else {\n  ${missing}\n}` : block;
}

function isTracked(field: DescField): boolean {
  return field.oneof !== undefined || isOptional(field);
}

function presence(field: DescField): string {
  const value = `message.${field.localName}`;
  if (field.oneof) return `message.${field.oneof.localName}.case === '${field.localName}'`;
  if (field.fieldKind === 'list') return `${value}.length > 0`;
  if (field.fieldKind === 'map') return `Object.keys(${value}).length > 0`;
  if (isOptional(field)) return `${value} !== undefined`;
  const { method, zero } = scalarShape(field, 'decode');
  return method === 'bytes' ? `${value}.byteLength > 0` : `${value} !== ${zero}`;
}

/** The checks of a nested message, or of the elements of a list. */
function nestedStatements(
  field: DescField,
  rules: FieldRules,
  value: string,
  patterns: PatternNames,
): string {
  if (field.fieldKind === 'list') return elementStatements(field, rules, value, patterns);
  if (field.message === undefined || checkStatements(field.message, patterns) === '') return '';
  if (field.fieldKind === 'map') throw new UnsupportedError(field, 'rules inside map values');
  return `${nestedCheck(field.message, value, quote(field.name))}`;
}

function elementStatements(
  field: DescField,
  rules: FieldRules,
  value: string,
  patterns: PatternNames,
): string {
  const elementRules = rules.type.case === 'repeated' ? rules.type.value.items : undefined;
  if (elementRules !== undefined) refuseUnknownFieldRules(field, elementRules);
  if (elementRules?.ignore === Ignore.IF_ZERO_VALUE || elementRules?.ignore === Ignore.ALWAYS)
    throw new UnsupportedError(field, 'ignored elements');
  const path = `\`${field.name}[\${index}]\``;
  const checks =
    elementRules === undefined
      ? []
      : valueChecks(field, elementRules, 'item', patterns).map((check) => pushIf(check, path));
  if (field.message !== undefined && checkStatements(field.message, patterns) !== '') {
    checks.push(nestedCheck(field.message, 'item', path));
  }
  if (checks.length === 0) return '';
  return `for (let index = 0; index < ${value}.length; index++) {
  const item = ${value}[index];
  if (item === undefined) continue;
${indent(checks.join('\n'), 2)}
}`;
}

function nestedCheck(message: DescMessage, value: string, path: string): string {
  return `const before = found.length;
check${message.name}(${value}, found);
if (found.length > before) prefixFields(found, before, ${path});`;
}

function pushIf({ fails, description }: ValueCheck, path: string): string {
  return `if (${fails}) found.push({ field: ${path}, description: ${quote(description)} });`;
}

function refuseUnknownFieldRules(field: DescField, rules: FieldRules): void {
  if (isFieldSet(rules, FieldRulesSchema.field.cel)) throw new UnsupportedError(field, 'CEL rules');
  if (isFieldSet(rules, FieldRulesSchema.field.celExpression)) throw new UnsupportedError(field, 'CEL rules');
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
