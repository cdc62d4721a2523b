/**
 * What a code looks like. Letters are the 32 that are not taken for another one (no 0 and O, no 1 and I); the last letter of
 * a generated code checks the others, so a slip of the finger is told without asking anybody.
 *
 * The check is a sum over GF(32), each letter weighted by a power of the field's generator: it finds every single wrong
 * letter and every two neighbours in the wrong order.
 */
import { randomBytes } from 'node:crypto';

const LETTERS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
const FIELD_SIZE = 32;
/** x⁵ + x² + 1. */
const FIELD_POLYNOMIAL = 0x25;
const NORMAL_CODE = /^[0-9A-Z]+$/;

const VALUES: ReadonlyMap<string, number> = new Map([...LETTERS].map((letter, value) => [letter, value]));

/** A code as it is compared: without outer blanks and hyphens, in upper case. */
export function normaliseCode(code: string): string {
  return code.trim().replaceAll('-', '').toUpperCase();
}

/** Whether a normalised code has no other characters than codes have. */
export function hasCodeLetters(normalised: string): boolean {
  return NORMAL_CODE.test(normalised);
}

/** Whether the last letter of a normalised code is the one that belongs to the others. */
export function hasRightCheck(normalised: string): boolean {
  return hasCodeLetters(normalised) && weightedSum(normalised) === 0;
}

/** A code of `length` letters after `prefix`, drawn from a cryptographic source; hyphens of the prefix stay. */
export function drawCode(prefix: string, length: number): string {
  const bytes = randomBytes(length - 1);
  let drawn = prefix.toUpperCase();
  // 256 is a multiple of 32, so every letter is as likely as any other.
  for (const byte of bytes) drawn += LETTERS[byte % FIELD_SIZE];
  return drawn + checkLetter(normaliseCode(drawn));
}

/** The letter that makes the sum of the code with it zero. */
function checkLetter(normalised: string): string {
  return LETTERS[weightedSum(`${normalised}${LETTERS[0]}`)] ?? '';
}

/** Letters of a prefix may lie outside the 32; they count as nothing, because a wrong prefix is no code anyway. */
function weightedSum(normalised: string): number {
  let sum = 0;
  for (const letter of normalised) sum = doubled(sum) ^ (VALUES.get(letter) ?? 0);
  return sum;
}

function doubled(value: number): number {
  const shifted = value << 1;
  return shifted >= FIELD_SIZE ? shifted ^ FIELD_POLYNOMIAL : shifted;
}
