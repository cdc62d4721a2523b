/** Bounds of codes, each with its unit and the reason for its value. */

/** Letters of a generated code after its prefix when nobody says otherwise: thirteen drawn (65 bits) and one to check. */
export const DEFAULT_CODE_LENGTH = 14;
/** Codes written by one statement: more gain nothing, fewer wait for the disk more often. */
export const CODES_PER_BATCH = 5_000;
/** Codes drawn and sealed before other work of the process has its turn; about 5 ms. */
export const CODES_PER_TURN = 250;
/** Statements of jobs wait this long for Postgres, ms. */
export const JOB_STATEMENT_MS = 30_000;
/** Letters of an imported code: fewer are guessed too easily, more do not fit a request. */
export const IMPORTED_CODE_LETTERS = { min: 8, max: 48 } as const;
/** Faults of an import that are told one by one. */
export const FAULTS_SHOWN = 1_000;
/** Codes read per step of an export: about 10 ms of opening, before other work of the process has its turn. */
export const CODES_PER_EXPORT_STEP = 1_000;
/** Claims of codes that wait for completion, taken up per step. */
export const CLAIMS_PER_STEP = 100;
/**
 * A code is held this long, ms, before the job looks after it: longer than any call lives, so that no attempt to make a
 * coupon of it is still under way.
 */
export const HELD_AT_LEAST_MS = 60_000;
/** Ciphertexts removed by one statement. */
export const CIPHERS_PER_PURGE = 10_000;
/** Whether codes without a check letter exist is asked again after this, ms, while there are none. */
export const FOREIGN_CODES_POLL_MS = 1_000;
/** Pause between runs of the jobs of codes, ms: part of the time a generation takes to begin. */
export const GENERATE_EVERY_MS = 1_000;
/** Pause between looks for unfinished claims, ms; what they complete has waited a minute anyway. */
export const COMPLETE_EVERY_MS = 15_000;
