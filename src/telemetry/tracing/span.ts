/** What is known of a piece of work that is traced. This and all its callers know nothing of who records it. */

/** Who works for whom, as OpenTelemetry tells them apart. */
export type SpanKind = 'server' | 'client' | 'internal';

/** Facts about the work. Never a user, a coupon, an order, a code, a token, or a value of a statement. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** How a span begins. */
export interface SpanStart {
  /** One of few: no id is part of it. */
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
}

/** A piece of work that is being recorded. What is said after its end is ignored. */
export interface Span {
  /** 32 digits in hex. */
  readonly traceId: string;
  /** 16 digits in hex. */
  readonly spanId: string;
  /** Begins a part of this work; undefined when the trace has as many spans as it may. */
  child(start: SpanStart): Span | undefined;
  /** Says that another span, perhaps of another trace, is about this work too. */
  link(other: Span): void;
  /** Gives it the name that is known only now. */
  rename(name: string): void;
  /** Adds a fact. */
  set(name: string, value: string | number | boolean): void;
  /** The work failed. @param errorType a word of a closed list: a message may hold what is said of a person */
  fail(errorType: string): void;
  end(): void;
}
