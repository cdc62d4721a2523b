import { type DescMessage, isFieldSet, type Message } from '@bufbuild/protobuf';
import { UnsupportedError } from './unsupported.ts';

/** A condition on a value that makes it invalid, and what protovalidate says then. */
export interface ValueCheck {
  readonly fails: string;
  readonly description: string;
}

/** Throws when a rule is set that is not in `known`. Examples are no rules. */
export function refuseOtherRules(
  subject: { toString(): string },
  schema: DescMessage,
  rules: Message,
  known: readonly string[],
): void {
  if (rules.$unknown !== undefined && rules.$unknown.length > 0) {
    throw new UnsupportedError(subject, 'predefined rules');
  }
  for (const rule of schema.fields) {
    const expected = rule.localName === 'example' || known.includes(rule.localName);
    if (!expected && isFieldSet(rules, rule)) throw new UnsupportedError(subject, `the rule ${rule.name}`);
  }
}
