/**
 * Phone numbers: one form for all ways of writing one, and what is shown of it. Only what decides whether two numbers are the
 * same is known here; whether a number exists is not asked.
 */
import { NAME_MASK_LENGTH, SHOWN_END, SHOWN_START } from './limits.ts';

/** Mobile numbers of mainland China, whose country code is often written without a plus. */
const CHINA_CODE = 86;
const CHINA_MOBILE = /^1\d{10}$/;

/**
 * The number with a plus and its country code. `+` and `00` lead a country code; otherwise the number is one of
 * `countryCode`. Spaces, dashes, dots and parentheses do not count.
 */
export function normalPhone(text: string, countryCode: number): string {
  const plain = text.replace(/[\s().-]/g, '');
  if (plain.startsWith('+')) return plain;
  if (plain.startsWith('00')) return `+${plain.slice(2)}`;
  const isWithCode =
    countryCode === CHINA_CODE && CHINA_MOBILE.test(plain.slice(2)) && plain.startsWith('86');
  return isWithCode ? `+${plain}` : `+${countryCode}${plain}`;
}

/** What is shown of a normalised number: of ones at home without country code, `138****5678`. */
export function maskPhone(phone: string, countryCode: number): string {
  const home = `+${countryCode}`;
  const digits = phone.startsWith(home) ? phone.slice(home.length) : phone;
  const hidden = digits.length - SHOWN_START - SHOWN_END;
  if (hidden < 1) return '*'.repeat(digits.length);
  return digits.slice(0, SHOWN_START) + '*'.repeat(hidden) + digits.slice(-SHOWN_END);
}

/** What is shown of a name: its first character, `张*`. */
export function maskName(name: string): string {
  const characters = Array.from(new Intl.Segmenter().segment(name.trim()), ({ segment }) => segment);
  const [first = '', ...rest] = characters;
  return first + '*'.repeat(Math.min(rest.length, NAME_MASK_LENGTH));
}
