/** Turns rules that bound a number or a moment into conditions. Two bounds are one rule with one description. */
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import type { Duration, Timestamp } from '@bufbuild/protobuf/wkt';
import {
  type DurationRules,
  DurationRulesSchema,
  type Int32Rules,
  type Int64Rules,
  type TimestampRules,
  TimestampRulesSchema,
  type UInt32Rules,
  type UInt64Rules,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { isKeptSafe } from './safe-integers.ts';
import { UnsupportedError } from './unsupported.ts';
import { refuseOtherRules, type ValueCheck } from './value-check.ts';

/** The checks of a whole number. Throws for a range whose ends are swapped. */
export function rangeChecks(
  field: DescField,
  schema: DescMessage,
  rules: Int32Rules | UInt32Rules | Int64Rules | UInt64Rules,
  value: string,
): ValueCheck[] {
  refuseOtherRules(field, schema, rules, ['gt', 'gte', 'lt', 'lte']);
  const { greaterThan: low, lessThan: high } = rules;
  if (low.case !== undefined && high.case !== undefined && low.value > high.value) {
    throw new UnsupportedError(field, 'a range turned inside out');
  }
  const literal = (bound: number | bigint): string =>
    typeof bound === 'bigint' && !isKeptSafe(field) ? `${bound}n` : String(bound);
  return boundChecks(
    low.case && {
      fails: `${value} ${low.case === 'gt' ? '<=' : '<'} ${literal(low.value)}`,
      text: `${BOUND_TEXTS[low.case]} ${low.value}`,
    },
    high.case && {
      fails: `${value} ${high.case === 'lt' ? '>=' : '>'} ${literal(high.value)}`,
      text: `${BOUND_TEXTS[high.case]} ${high.value}`,
    },
  );
}

/** The checks of a moment. */
export function timestampChecks(field: DescField, rules: TimestampRules, value: string): ValueCheck[] {
  refuseOtherRules(field, TimestampRulesSchema, rules, ['gte', 'lte']);
  const { greaterThan: low, lessThan: high } = rules;
  return boundChecks(
    low.case === 'gte'
      ? {
          fails: `isBefore(${value}, ${moment(low.value)})`,
          text: `${BOUND_TEXTS.gte} ${instant(low.value)}`,
        }
      : undefined,
    high.case === 'lte'
      ? {
          fails: `isAfter(${value}, ${moment(high.value)})`,
          text: `${BOUND_TEXTS.lte} ${instant(high.value)}`,
        }
      : undefined,
  );
}

/** The checks of a span. */
export function durationChecks(field: DescField, rules: DurationRules, value: string): ValueCheck[] {
  refuseOtherRules(field, DurationRulesSchema, rules, ['gte', 'lte']);
  const { greaterThan: low, lessThan: high } = rules;
  return boundChecks(
    low.case === 'gte'
      ? {
          fails: `isBefore(${value}, ${moment(low.value)})`,
          text: `${BOUND_TEXTS.gte} ${low.value.seconds}s`,
        }
      : undefined,
    high.case === 'lte'
      ? {
          fails: `isAfter(${value}, ${moment(high.value)})`,
          text: `${BOUND_TEXTS.lte} ${high.value.seconds}s`,
        }
      : undefined,
  );
}

const BOUND_TEXTS = {
  gt: 'greater than',
  gte: 'greater than or equal to',
  lt: 'less than',
  lte: 'less than or equal to',
};

interface Bound {
  readonly fails: string;
  readonly text: string;
}

/** Two bounds are one rule with one description. */
function boundChecks(...bounds: readonly (Bound | undefined)[]): ValueCheck[] {
  const present = bounds.filter((bound) => bound !== undefined);
  if (present.length === 0) return [];
  return [
    {
      fails: present.map((bound) => bound.fails).join(' || '),
      description: `must be ${present.map((bound) => bound.text).join(' and ')}`,
    },
  ];
}

function moment({ seconds, nanos }: Timestamp | Duration): string {
  return `${seconds}n, ${nanos}`;
}

function instant(timestamp: Timestamp): string {
  return new Date(Number(timestamp.seconds) * 1000).toISOString().replace('.000Z', 'Z');
}
