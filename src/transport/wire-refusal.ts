/**
 * A refusal in the forms the servers write. A sold-out flash sale is nearly all refusals, so the forms of a refusal
 * without figures of its own are made once and kept.
 */
import { Code, ConnectError } from '@connectrpc/connect';
import { codeToHttpStatus, errorToJsonBytes } from '@connectrpc/connect/protocol-connect';
import { Metadata, type StatusObject } from '@grpc/grpc-js';
import type { Refusal, RefusalReason } from '../domain/refusal.ts';
import { codeOf, type Detail, detailsOf, encodeStatus } from './refusal-details.ts';
import type { Language } from './refusal-messages.ts';

/** Trailing metadata that is written down once. grpc-js clones metadata for every status; these never change, so it need not. */
export class FixedMetadata extends Metadata {
  readonly #headers: Readonly<Record<string, string>>;

  constructor(headers: Readonly<Record<string, string>>) {
    super();
    this.#headers = headers;
  }

  override clone(): Metadata {
    return this;
  }

  override toHttp2Headers(): Record<string, string> {
    return this.#headers;
  }
}

/** One refusal, ready to be written by any server. Forms are made when first needed. */
export class WireRefusal {
  readonly code: number;
  readonly message: string;
  readonly #details: readonly Detail[];
  #grpcStatus: StatusObject | undefined;
  #json: Buffer | undefined;

  constructor(refusal: Refusal, language: Language) {
    this.code = codeOf(refusal);
    this.message = refusal.message;
    this.#details = detailsOf(refusal, language);
  }

  /** The status with its details for a gRPC call. */
  get grpcStatus(): StatusObject {
    this.#grpcStatus ??= { code: this.code, details: this.message, metadata: this.#trailers() };
    return this.#grpcStatus;
  }

  #trailers(): Metadata {
    const bytes = encodeStatus(this.code, this.message, this.#details);
    return new FixedMetadata({ 'grpc-status-details-bin': Buffer.from(bytes).toString('base64') });
  }

  /** The error to throw inside a Connect route. */
  get connectError(): ConnectError {
    return new ConnectError(this.message, this.#connectCode, undefined, [...this.#details]);
  }

  /** The body of a Connect unary error. */
  get json(): Buffer {
    this.#json ??= Buffer.from(errorToJsonBytes(this.connectError, undefined));
    return this.#json;
  }

  /** The HTTP status of a Connect unary error. */
  get httpStatus(): number {
    return codeToHttpStatus(this.#connectCode);
  }

  get #connectCode(): Code {
    return this.code in Code ? this.code : Code.Internal;
  }
}

const kept: Readonly<Record<Language, Map<RefusalReason, WireRefusal>>> = { en: new Map(), zh: new Map() };

/**
 * The forms of a refusal. Those without metadata, violations or a retry time of their own are kept by reason; a reason that
 * is used with several messages keeps the latest.
 */
export function wireRefusalOf(refusal: Refusal, language: Language): WireRefusal {
  const { metadata, violations, retryAfterMs } = refusal.detail;
  if (metadata !== undefined || violations !== undefined || retryAfterMs !== undefined) {
    return new WireRefusal(refusal, language);
  }
  const known = kept[language].get(refusal.reason);
  if (known !== undefined && known.message === refusal.message) return known;
  const made = new WireRefusal(refusal, language);
  kept[language].set(refusal.reason, made);
  return made;
}
