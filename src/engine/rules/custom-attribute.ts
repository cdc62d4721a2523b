import type { AttributeValue } from '../../domain/cart.ts';
import type { Failure } from '../../domain/decision.ts';
import type { AttributeCondition } from '../../domain/promotion.ts';
import { namedTexts } from '../allowed-texts.ts';
import type { RuleCompiler } from '../rule-parts.ts';

/** An attribute of the cart or the user, which the shop defines, is as wanted; one of another type counts as missing. */
export const customAttribute: RuleCompiler<'custom_attribute'> = {
  kind: 'custom_attribute',
  compile({ attribute, source, condition }) {
    const judge = judgeOf(condition, { reason: 'FACT_MISSING', needed: attribute });
    return source === 'cart'
      ? { check: ({ cart }) => judge(cart.cart.attributes.get(attribute)) }
      : { check: ({ facts }) => judge(facts.attributes?.get(attribute)) };
  },
};

type Judge = (value: AttributeValue | undefined) => Failure | undefined;

function judgeOf(condition: AttributeCondition, missing: Failure): Judge {
  switch (condition.kind) {
    case 'one_of':
      return oneOf(condition.values, missing);
    case 'none_of':
      return noneOf(condition.values, missing);
    case 'in_range':
      return inRange(condition.atLeast, condition.atMost, missing);
    case 'equals':
      return equal(condition.value, missing);
  }
}

function oneOf(values: readonly string[], missing: Failure): Judge {
  const wanted = new Set(values);
  return (value) => {
    if (typeof value !== 'string') return missing;
    return wanted.has(value) ? undefined : notMatched(value, namedTexts(values));
  };
}

function noneOf(values: readonly string[], missing: Failure): Judge {
  const refused = new Set(values);
  return (value) => {
    if (typeof value !== 'string') return missing;
    return refused.has(value) ? { reason: 'ATTRIBUTE_NOT_MATCHED', seen: value } : undefined;
  };
}

function inRange(atLeast: number | undefined, atMost: number | undefined, missing: Failure): Judge {
  return (value) => {
    if (typeof value !== 'number') return missing;
    if (atLeast !== undefined && value < atLeast) return notMatched(value, atLeast);
    if (atMost !== undefined && value > atMost) return notMatched(value, atMost);
    return undefined;
  };
}

function equal(wanted: boolean, missing: Failure): Judge {
  return (value) => {
    if (typeof value !== 'boolean') return missing;
    return value === wanted ? undefined : notMatched(String(value), String(wanted));
  };
}

function notMatched(seen: string | number, needed: string | number): Failure {
  return { reason: 'ATTRIBUTE_NOT_MATCHED', needed, seen };
}
