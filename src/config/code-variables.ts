/** The environment variables of single-use codes; a section of `variables.ts`. */
import { integer, secretText } from './variable.ts';

const MINUTE_MS = 60_000;

/** How codes are kept, and how much guessing is borne. */
export const CODE_VARIABLES = {
  key: secretText(
    'HONGBAO_CODES_KEY',
    32,
    'Secret that single-use codes are kept by, at least 32 characters; the same in every process, and never changed. Needed by `serve` and `archive`; the embedded development set-up has one.',
  ),
  exportDays: integer(
    'HONGBAO_CODES_EXPORT_DAYS',
    90,
    'Days for which codes can be exported after they were made; then only their digests are kept.',
    { min: 1, max: 3_650 },
  ),
  userAttemptsPerMinute: integer(
    'HONGBAO_CODES_USER_ATTEMPTS_PER_MINUTE',
    20,
    'Codes one user may try per minute, right or wrong.',
    { min: 1 },
  ),
  callerAttemptsPerMinute: integer(
    'HONGBAO_CODES_CALLER_ATTEMPTS_PER_MINUTE',
    60_000,
    'The same of one caller; a service tries codes of many users.',
    { min: 1 },
  ),
  userWrongCodes: integer(
    'HONGBAO_CODES_USER_WRONG_CODES',
    10,
    'Wrong codes of one user that lock the user out.',
    { min: 1 },
  ),
  callerWrongCodes: integer(
    'HONGBAO_CODES_CALLER_WRONG_CODES',
    5_000,
    'Wrong codes of one caller that lock the caller out.',
    { min: 1 },
  ),
  wrongWindowMs: integer(
    'HONGBAO_CODES_WRONG_WINDOW_MS',
    60 * MINUTE_MS,
    'Time within which wrong codes are counted together.',
    { min: 1000 },
  ),
  lockoutMs: integer(
    'HONGBAO_CODES_LOCKOUT_MS',
    15 * MINUTE_MS,
    'Time for which somebody locked out may try no code.',
    { min: 1000 },
  ),
} as const;
