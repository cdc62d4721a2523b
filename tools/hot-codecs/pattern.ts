import { UnsupportedError } from './unsupported.ts';

/** Literal characters, classes, bounded and unbounded repetition of these, anchors: where RE2 and JavaScript agree. */
const SHARED_SYNTAX = /^(?:\[[A-Za-z0-9._:@,+/ -]+\]|[A-Za-z0-9_:@, /-]|[$^()|]|[?*+]|\{\d+(?:,\d*)?\})*$/;
/** A repeated group can take JavaScript exponential time, where RE2 is linear. */
const REPEATED_GROUP = /\)[*+{]/;

/**
 * A protovalidate pattern, which is RE2, as a JavaScript regular expression literal. Throws for syntax outside the part
 * that means the same in both and runs in linear time in both.
 */
export function patternLiteral(pattern: string, subject: { toString(): string }): string {
  if (!SHARED_SYNTAX.test(pattern) || REPEATED_GROUP.test(pattern)) {
    throw new UnsupportedError(subject, `the pattern ${pattern}`);
  }
  return `/${pattern.replaceAll('/', '\\/')}/u`;
}
