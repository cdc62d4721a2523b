/** Turns the protovalidate rules of a value into conditions in TypeScript. A rule that is not known here stops generation. */
import { type DescField, isFieldSet, ScalarType } from '@bufbuild/protobuf';
import {
  type BytesRules,
  BytesRulesSchema,
  type EnumRules,
  EnumRulesSchema,
  type FieldRules,
  Int32RulesSchema,
  Int64RulesSchema,
  type MapRules,
  MapRulesSchema,
  type RepeatedRules,
  RepeatedRulesSchema,
  type StringRules,
  StringRulesSchema,
  UInt32RulesSchema,
  UInt64RulesSchema,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { patternLiteral } from './pattern.ts';
import { durationChecks, rangeChecks, timestampChecks } from './range-checks.ts';
import { UnsupportedError } from './unsupported.ts';
import { refuseOtherRules, type ValueCheck } from './value-check.ts';

/** The name of the constant that holds a regular expression; each literal is one constant of the module. */
export type PatternNames = (literal: string) => string;

/** The checks of one value of a field, in protovalidate's order. `value` is the expression that names it. */
export function valueChecks(
  field: DescField,
  rules: FieldRules,
  value: string,
  patterns: PatternNames,
): ValueCheck[] {
  const { type } = rules;
  switch (type.case) {
    case undefined:
      return [];
    case 'string':
      return stringChecks(field, type.value, value, patterns);
    case 'bytes':
      return bytesChecks(field, type.value, value);
    case 'enum':
      return enumChecks(field, type.value, value);
    case 'int32':
      return rangeChecks(field, Int32RulesSchema, type.value, value);
    case 'uint32':
      return rangeChecks(field, UInt32RulesSchema, type.value, value);
    case 'int64':
      return rangeChecks(field, Int64RulesSchema, type.value, value);
    case 'uint64':
      return rangeChecks(field, UInt64RulesSchema, type.value, value);
    case 'timestamp':
      return timestampChecks(field, type.value, value);
    case 'duration':
      return durationChecks(field, type.value, value);
    case 'repeated':
      return listChecks(field, type.value, value);
    case 'map':
      return mapChecks(field, type.value, value);
    default:
      throw new UnsupportedError(field, `rules of the kind ${type.case}`);
  }
}

function stringChecks(
  field: DescField,
  rules: StringRules,
  value: string,
  patterns: PatternNames,
): ValueCheck[] {
  refuseOtherRules(field, StringRulesSchema, rules, ['minLen', 'maxLen', 'pattern']);
  const { minLen, maxLen, pattern } = StringRulesSchema.field;
  const checks: ValueCheck[] = [];
  const add = (fails: string, description: string): number => checks.push({ fails, description });
  if (isFieldSet(rules, minLen)) {
    add(`isShorter(${value}, ${rules.minLen})`, `must be at least ${rules.minLen} characters`);
  }
  if (isFieldSet(rules, maxLen)) {
    add(`isLonger(${value}, ${rules.maxLen})`, `must be at most ${rules.maxLen} characters`);
  }
  if (isFieldSet(rules, pattern)) {
    const name = patterns(patternLiteral(rules.pattern, field));
    add(`!${name}.test(${value})`, `does not match regex pattern \`${rules.pattern}\``);
  }
  return checks;
}

function bytesChecks(field: DescField, rules: BytesRules, value: string): ValueCheck[] {
  refuseOtherRules(field, BytesRulesSchema, rules, ['minLen', 'maxLen']);
  const { minLen, maxLen } = BytesRulesSchema.field;
  const size = `${value}.byteLength`;
  return [
    ...(isFieldSet(rules, minLen)
      ? [{ fails: `${size} < ${rules.minLen}`, description: `must be at least ${rules.minLen} bytes` }]
      : []),
    ...(isFieldSet(rules, maxLen)
      ? [{ fails: `${size} > ${rules.maxLen}`, description: `must be at most ${rules.maxLen} bytes` }]
      : []),
  ];
}

function enumChecks(field: DescField, rules: EnumRules, value: string): ValueCheck[] {
  refuseOtherRules(field, EnumRulesSchema, rules, ['definedOnly', 'in', 'notIn']);
  const numbers = field.enum?.values.map((defined) => defined.number) ?? [];
  const isOneOf = (allowed: readonly number[]): string => `[${allowed.join(', ')}].includes(${value})`;
  const checks: ValueCheck[] = [];
  if (rules.definedOnly) {
    checks.push({
      fails: `!${isOneOf(numbers)}`,
      description: 'value must be one of the defined enum values',
    });
  }
  if (rules.in.length > 0) {
    checks.push({ fails: `!${isOneOf(rules.in)}`, description: `must be in list [${rules.in.join(', ')}]` });
  }
  if (rules.notIn.length > 0) {
    checks.push({
      fails: isOneOf(rules.notIn),
      description: `must not be in list [${rules.notIn.join(', ')}]`,
    });
  }
  return checks;
}

function listChecks(field: DescField, rules: RepeatedRules, value: string): ValueCheck[] {
  refuseOtherRules(field, RepeatedRulesSchema, rules, ['minItems', 'maxItems', 'unique', 'items']);
  const { minItems, maxItems } = RepeatedRulesSchema.field;
  const checks: ValueCheck[] = [];
  const add = (fails: string, description: string): number => checks.push({ fails, description });
  if (isFieldSet(rules, minItems)) {
    add(`${value}.length < ${rules.minItems}`, `must contain at least ${rules.minItems} item(s)`);
  }
  if (isFieldSet(rules, maxItems)) {
    add(`${value}.length > ${rules.maxItems}`, `must contain no more than ${rules.maxItems} item(s)`);
  }
  if (rules.unique) {
    if (field.message || field.scalar === ScalarType.BYTES)
      throw new UnsupportedError(field, 'unique elements of this type');
    add(`new Set(${value}).size < ${value}.length`, 'repeated value must contain unique items');
  }
  return checks;
}

function mapChecks(field: DescField, rules: MapRules, value: string): ValueCheck[] {
  refuseOtherRules(field, MapRulesSchema, rules, ['minPairs', 'maxPairs']);
  const { minPairs, maxPairs } = MapRulesSchema.field;
  const size = `Object.keys(${value}).length`;
  return [
    ...(isFieldSet(rules, minPairs)
      ? [
          {
            fails: `${size} < ${rules.minPairs}`,
            description: `map must be at least ${rules.minPairs} entries`,
          },
        ]
      : []),
    ...(isFieldSet(rules, maxPairs)
      ? [
          {
            fails: `${size} > ${rules.maxPairs}`,
            description: `map must be at most ${rules.maxPairs} entries`,
          },
        ]
      : []),
  ];
}
