/** Which 64-bit numbers can be plain numbers without loss. */
import { type DescField, getOption, ScalarType } from '@bufbuild/protobuf';
import {
  type FieldRules,
  field as fieldExtension,
  Ignore,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';

const LIMIT = 2n ** 53n;

/**
 * Whether the rules of a 64-bit field keep its value, or its elements, among the safe integers. A value outside is read as
 * the nearest number, which is outside too, so the checks refuse it all the same.
 */
export function isKeptSafe(field: DescField): boolean {
  if (field.scalar !== ScalarType.INT64 && field.scalar !== ScalarType.UINT64) return false;
  const rules = getOption(field, fieldExtension);
  const { type, ignore } = field.fieldKind === 'list' ? elementRules(rules) : rules;
  if (ignore === Ignore.ALWAYS || (type.case !== 'int64' && type.case !== 'uint64')) return false;
  const { greaterThan: low, lessThan: high } = type.value;
  const isBelow = (high.case === 'lt' && high.value <= LIMIT) || (high.case === 'lte' && high.value < LIMIT);
  const isAbove = (low.case === 'gt' && low.value >= -LIMIT) || (low.case === 'gte' && low.value > -LIMIT);
  return isBelow && (isAbove || type.case === 'uint64');
}

function elementRules(rules: FieldRules): Pick<FieldRules, 'type' | 'ignore'> {
  const elements = rules.type.case === 'repeated' ? rules.type.value.items : undefined;
  return elements ?? { type: { case: undefined }, ignore: Ignore.UNSPECIFIED };
}
