/** What went wrong with a call, in the contract's own words. */
import { Code, ConnectError } from '@connectrpc/connect';
import { type FieldViolation, REASONS, type RefusalReason } from '../domain/refusal.ts';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  LocalizedMessageSchema,
  RetryInfoSchema,
} from '../gen/google/rpc/error_details_pb.ts';
import { RefusalReasonSchema } from '../gen/hongbao/v1/refusal_pb.ts';

/** What may be concluded: nothing happened, or it may have and asking again with the same request id tells. */
export type Outcome = 'noEffect' | 'unknown';

/** Facts of an error. */
export interface HongbaoErrorFacts {
  /** `CouponService.ClaimCoupon`. */
  readonly method: string;
  /** The canonical status code. */
  readonly code: Code;
  /** In English, for logs. */
  readonly message: string;
  /** The reason; undefined when the service did not answer, or gives a reason that this client is too old for. */
  readonly reason?: RefusalReason | undefined;
  readonly fieldViolations?: readonly FieldViolation[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly retryAfterMs?: number | undefined;
  /** In the caller's language (`accept-language`), for people. */
  readonly localizedMessage?: string | undefined;
  /** The id to ask again with. */
  readonly requestId?: string | undefined;
  /** How often the service was asked. */
  readonly attempts?: number;
  readonly cause?: unknown;
}

/** Without a reason of the service the code has to tell; these leave open what happened. */
const UNKNOWN_CODES = new Set([
  Code.Canceled,
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Aborted,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
]);

/** A call, or one item of a batch, that was refused or whose outcome is unknown. */
export class HongbaoError extends Error {
  override readonly name = 'HongbaoError';
  readonly method: string;
  readonly code: Code;
  readonly reason: RefusalReason | undefined;
  readonly fieldViolations: readonly FieldViolation[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;
  readonly localizedMessage: string | undefined;
  readonly requestId: string | undefined;
  readonly attempts: number;

  constructor(facts: HongbaoErrorFacts) {
    const { method, code, reason, message } = facts;
    super(`${method}: ${reason ?? Code[code]}: ${message}`, { cause: facts.cause });
    this.method = method;
    this.code = code;
    this.reason = reason;
    this.fieldViolations = facts.fieldViolations ?? [];
    this.metadata = facts.metadata ?? {};
    this.retryAfterMs = facts.retryAfterMs;
    this.localizedMessage = facts.localizedMessage;
    this.requestId = facts.requestId;
    this.attempts = facts.attempts ?? 1;
  }

  /** What may be concluded about the call. */
  get outcome(): Outcome {
    if (this.reason !== undefined) return REASONS[this.reason].outcome;
    return UNKNOWN_CODES.has(this.code) ? 'unknown' : 'noEffect';
  }

  /** Whether asking again, with the same request id and after `retryAfterMs`, can help. */
  get isRetryable(): boolean {
    return this.outcome === 'unknown' || this.retryAfterMs !== undefined;
  }
}

/** Anything a transport throws. */
export function hongbaoErrorOf(
  thrown: unknown,
  call: Pick<HongbaoErrorFacts, 'method' | 'requestId' | 'attempts'>,
): HongbaoError {
  if (thrown instanceof HongbaoError) return thrown;
  const error = ConnectError.from(thrown);
  const [info] = error.findDetails(ErrorInfoSchema).filter(({ domain }) => domain === 'hongbao');
  const reason = info?.reason ?? '';
  return new HongbaoError({
    ...call,
    code: error.code,
    message: error.rawMessage,
    reason: isReason(reason) ? reason : undefined,
    metadata: info?.metadata ?? {},
    fieldViolations: violationsOf(error),
    retryAfterMs: msOf(error.findDetails(RetryInfoSchema)[0]?.retryDelay),
    localizedMessage: error.findDetails(LocalizedMessageSchema)[0]?.message,
    cause: error,
  });
}

/** One item of a batch that was refused: `ClaimRefusal` and `CartRefusal` have this shape. */
export interface ItemRefusal {
  /** A `RefusalReason` of the contract. */
  readonly reason: number;
  readonly message: string;
  readonly retryAfter?: Length | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The same for an item of a batch, which stands in the answer instead of being thrown. */
export function itemError(method: string, item: ItemRefusal, requestId?: string): HongbaoError {
  const value = RefusalReasonSchema.values.find(({ number }) => number === item.reason);
  const name = value?.name.replace('REFUSAL_REASON_', '') ?? '';
  const reason = isReason(name) ? name : undefined;
  return new HongbaoError({
    method,
    requestId,
    reason,
    code: reason === undefined ? Code.Unknown : codeOf(REASONS[reason].code),
    message: item.message,
    metadata: item.metadata,
    retryAfterMs: msOf(item.retryAfter),
  });
}

interface Length {
  readonly seconds: bigint;
  readonly nanos: number;
}

function msOf(length: Length | undefined): number | undefined {
  return length === undefined ? undefined : Number(length.seconds) * 1_000 + length.nanos / 1_000_000;
}

function violationsOf(error: ConnectError): FieldViolation[] {
  return error
    .findDetails(BadRequestSchema)
    .flatMap(({ fieldViolations }) =>
      fieldViolations.map(({ field, description }) => ({ field, description })),
    );
}

function isReason(name: string): name is RefusalReason {
  return Object.hasOwn(REASONS, name);
}

/** `FAILED_PRECONDITION` is `Code.FailedPrecondition`. */
function codeOf(name: string): Code {
  const wanted = name.replaceAll('_', '').toLowerCase();
  const [, code = Code.Unknown] = Object.entries(Code).find(([key]) => key.toLowerCase() === wanted) ?? [];
  return typeof code === 'number' ? code : Code.Unknown;
}
