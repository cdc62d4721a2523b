/**
 * The closed list of reasons why a call was not carried out, and what each one means to the caller.
 *
 * The names equal the values of `hongbao.v1.RefusalReason` in the contract (a test holds the two together) and travel as
 * `ErrorInfo.reason`. What a caller may conclude is fixed per reason:
 *
 * - `noEffect`: this attempt changed nothing and never will; the reason is the answer.
 * - `unknown`: the attempt may or may not have been carried out; ask again with the same `request_id`.
 */

/** Canonical gRPC status codes this product answers with. */
export type StatusCode =
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'UNAUTHENTICATED';

interface ReasonFacts {
  readonly code: StatusCode;
  readonly outcome: 'noEffect' | 'unknown';
  /** Wait before asking again, in milliseconds; absent when asking again cannot help. */
  readonly retryAfterMs?: number;
}

const noEffect = (code: StatusCode): ReasonFacts => ({ code, outcome: 'noEffect' });
/** Nothing happened, and asking again can help. */
const noEffectNow = (code: StatusCode, retryAfterMs: number): ReasonFacts => ({
  code,
  outcome: 'noEffect',
  retryAfterMs,
});
const unknown = (code: StatusCode, retryAfterMs: number): ReasonFacts => ({
  code,
  outcome: 'unknown',
  retryAfterMs,
});

/** Every reason with its status code, outcome and retry advice; the order of the claim reasons is the order of the checks. */
export const REASONS = {
  PROMOTION_NOT_FOUND: noEffect('NOT_FOUND'),
  PROMOTION_NOT_CLAIMABLE: noEffect('FAILED_PRECONDITION'),
  PROMOTION_INACTIVE: noEffect('FAILED_PRECONDITION'),
  PROMOTION_NOT_STARTED: noEffect('FAILED_PRECONDITION'),
  PROMOTION_ENDED: noEffect('FAILED_PRECONDITION'),
  USER_NOT_TARGETED: noEffect('FAILED_PRECONDITION'),
  USER_LIMIT_REACHED: noEffect('FAILED_PRECONDITION'),
  SOLD_OUT: noEffect('FAILED_PRECONDITION'),
  WALLET_FULL: noEffect('FAILED_PRECONDITION'),
  REQUEST_ID_REUSED: noEffect('INVALID_ARGUMENT'),

  INVALID_REQUEST: noEffect('INVALID_ARGUMENT'),
  UNAUTHENTICATED: noEffect('UNAUTHENTICATED'),
  PERMISSION_DENIED: noEffect('PERMISSION_DENIED'),
  USER_NOT_FOUND: noEffect('NOT_FOUND'),
  COUPON_NOT_FOUND: noEffect('NOT_FOUND'),
  COUPON_STILL_USABLE: noEffect('FAILED_PRECONDITION'),
  METHOD_NOT_FOUND: noEffect('UNIMPLEMENTED'),
  MESSAGE_TOO_LARGE: noEffect('RESOURCE_EXHAUSTED'),
  RULE_SET_VERSION_NOT_FOUND: noEffect('NOT_FOUND'),

  PROMOTION_ALREADY_EXISTS: noEffect('ALREADY_EXISTS'),
  ETAG_MISMATCH: noEffect('ABORTED'),
  PROMOTION_STILL_ACTIVE: noEffect('FAILED_PRECONDITION'),
  PROMOTION_ALREADY_ISSUED: noEffect('FAILED_PRECONDITION'),
  QUANTITY_BELOW_ISSUED: noEffect('FAILED_PRECONDITION'),

  LEDGER_UNAVAILABLE: unknown('UNAVAILABLE', 100),
  LEDGER_CLOSED: unknown('UNAVAILABLE', 200),
  LEDGER_OVERLOADED: unknown('UNAVAILABLE', 50),
  LEDGER_OUT_OF_MEMORY: unknown('UNAVAILABLE', 1000),
  DURABILITY_UNMET: unknown('UNAVAILABLE', 1000),
  ARCHIVE_BACKLOG: unknown('UNAVAILABLE', 1000),
  ARCHIVE_UNAVAILABLE: unknown('UNAVAILABLE', 500),
  SHUTTING_DOWN: unknown('UNAVAILABLE', 100),
  DEADLINE_EXCEEDED: unknown('DEADLINE_EXCEEDED', 0),
  INTERNAL: unknown('INTERNAL', 0),
  EVALUATION_OVERLOADED: noEffectNow('UNAVAILABLE', 50),
  EVALUATION_FAILED: noEffectNow('UNAVAILABLE', 100),
  SERVER_OVERLOADED: noEffectNow('UNAVAILABLE', 100),
  RATE_LIMITED: noEffectNow('RESOURCE_EXHAUSTED', 1000),

  ORDER_NOT_FOUND: noEffect('NOT_FOUND'),
  ORDER_ALREADY_RESERVED: noEffect('FAILED_PRECONDITION'),
  ORDER_ALREADY_COMMITTED: noEffect('FAILED_PRECONDITION'),
  RESERVATION_NOT_FOUND: noEffect('NOT_FOUND'),
  RESERVATION_EXPIRED: noEffect('FAILED_PRECONDITION'),
  RESERVATION_RELEASED: noEffect('FAILED_PRECONDITION'),
  COUPON_NOT_APPLICABLE: noEffect('FAILED_PRECONDITION'),
  COUPON_NOT_AVAILABLE: noEffect('FAILED_PRECONDITION'),
  CURRENCY_MISMATCH: noEffect('FAILED_PRECONDITION'),
  CART_CHANGED: noEffect('FAILED_PRECONDITION'),
  USES_EXHAUSTED: noEffect('FAILED_PRECONDITION'),
  USER_USES_EXHAUSTED: noEffect('FAILED_PRECONDITION'),
  BUDGET_EXHAUSTED: noEffect('FAILED_PRECONDITION'),
  NOTHING_TO_RETURN: noEffect('FAILED_PRECONDITION'),
  QUANTITY_ABOVE_REMAINING: noEffect('FAILED_PRECONDITION'),
  LINE_NOT_FOUND: noEffect('NOT_FOUND'),

  CODE_NOT_FOUND: noEffect('NOT_FOUND'),
  CODE_ALREADY_USED: noEffect('FAILED_PRECONDITION'),
  TOO_MANY_CODE_ATTEMPTS: noEffectNow('RESOURCE_EXHAUSTED', 60_000),
  PROMOTION_WITHOUT_CODES: noEffect('FAILED_PRECONDITION'),
  CODE_BATCH_EXPORTED: noEffect('FAILED_PRECONDITION'),

  PROMOTION_NOT_EXCHANGEABLE: noEffect('FAILED_PRECONDITION'),
  INSUFFICIENT_POINTS: noEffect('FAILED_PRECONDITION'),
  NOT_IN_DEVELOPMENT: noEffect('FAILED_PRECONDITION'),

  PROMOTION_NOT_GRANTABLE: noEffect('FAILED_PRECONDITION'),
  JOB_NOT_FOUND: noEffect('NOT_FOUND'),
  JOB_RUNNING: noEffect('FAILED_PRECONDITION'),

  EVENT_NOT_FOUND: noEffect('NOT_FOUND'),
  SELF_REFERRAL: noEffect('FAILED_PRECONDITION'),
  ALREADY_REFERRED: noEffect('FAILED_PRECONDITION'),
  WEBHOOK_NOT_FOUND: noEffect('NOT_FOUND'),
  DEAD_LETTER_NOT_FOUND: noEffect('NOT_FOUND'),
  CURSOR_INVALID: noEffect('INVALID_ARGUMENT'),
} as const satisfies Record<string, ReasonFacts>;

/** The name of one reason. */
export type RefusalReason = keyof typeof REASONS;

/** One fault of a request: the path of the field as in the contract (`promotion.effect.percent_off`), and what is wrong. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** What a refusal carries beside its reason. Values in `metadata` are shown to callers: never a secret, never a name. */
export interface RefusalDetail {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly FieldViolation[];
  readonly retryAfterMs?: number;
  /** What went wrong underneath; goes to the log, never to the caller. */
  readonly cause?: unknown;
}

/** A call that was refused, or whose outcome is unknown. Handlers throw it; the transport turns it into a status. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: RefusalReason;
  readonly detail: RefusalDetail;

  constructor(reason: RefusalReason, message: string, detail: RefusalDetail = {}) {
    super(message, { cause: detail.cause });
    this.reason = reason;
    this.detail = detail;
  }
}

/** The wait to advise before another attempt, in milliseconds, or undefined when asking again cannot help. */
export function retryAfterMs(refusal: Refusal): number | undefined {
  const facts: ReasonFacts = REASONS[refusal.reason];
  return refusal.detail.retryAfterMs ?? facts.retryAfterMs;
}
