/** One line for people, in both languages of the product. */
export interface Text {
  readonly en: string;
  readonly zh: string;
}

/** More names than this are counted instead of listed: the line must fit on a coupon. */
const NAMES_SHOWN = 3;

/** "a, b, c and 2 more", "a、b、c等5项". */
export function listText(names: readonly string[]): Text {
  const shown = names.slice(0, NAMES_SHOWN);
  const more = names.length - shown.length;
  return {
    en: more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', '),
    zh: more > 0 ? `${shown.join('、')}等${names.length}项` : shown.join('、'),
  };
}

const ORDINALS = new Intl.PluralRules('en', { type: 'ordinal' });
const SUFFIXES: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd', other: 'th' };

/** "1st", "2nd", "11th". */
export function ordinal(number: number): string {
  return `${number}${SUFFIXES[ORDINALS.select(number)] ?? 'th'}`;
}

/** "1 item", "3 items". */
export function counted(number: number, noun: string): string {
  return number === 1 ? `1 ${noun}` : `${number} ${noun}s`;
}
