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

const DETAILS_HEADER = 'grpc-status-details-bin';

/** One refusal, ready to be written by any server. Forms are made when first needed. */
export class WireRefusal {
  readonly code: number;
  readonly message: string;
  readonly #details: readonly Detail[];
  #grpcStatus: StatusObject | undefined;
  #grpcTrailers: Readonly<Record<string, string>> | undefined;
  #json: Buffer | undefined;

  constructor(refusal: Refusal, language: Language) {
    this.code = codeOf(refusal);
    this.message = refusal.message;
    this.#details = detailsOf(refusal, language);
  }

  /** The status with its details, as grpc-js takes it. */
  get grpcStatus(): StatusObject {
    this.#grpcStatus ??= { code: this.code, details: this.message, metadata: this.#metadata() };
    return this.#grpcStatus;
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    metadata.set(DETAILS_HEADER, this.#encodedDetails());
    return metadata;
  }

  /** The same as headers of HTTP/2. */
  get grpcTrailers(): Readonly<Record<string, string>> {
    this.#grpcTrailers ??= {
      'grpc-status': String(this.code),
      'grpc-message': encodeURI(this.message.toWellFormed()),
      [DETAILS_HEADER]: this.#encodedDetails().toString('base64'),
    };
    return this.#grpcTrailers;
  }

  #encodedDetails(): Buffer {
    return Buffer.from(encodeStatus(this.code, this.message, this.#details));
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

/** Forms by reason, for refusals that say nothing but their reason; by the refusal itself for the others. */
class Kept {
  readonly byReason = new Map<RefusalReason, WireRefusal>();
  readonly byRefusal = new WeakMap<Refusal, WireRefusal>();
}

const kept: Readonly<Record<Language, Kept>> = { en: new Kept(), zh: new Kept() };

/**
 * The forms of a refusal. A refusal with facts of its own keeps its forms as long as it lives, so a handler that answers the
 * same thing often uses one refusal again. One without shares them with its reason; a reason that is used with several messages
 * keeps the latest.
 */
export function wireRefusalOf(refusal: Refusal, language: Language): WireRefusal {
  return hasFacts(refusal) ? ofRefusal(refusal, language) : ofReason(refusal, language);
}

function hasFacts({ detail: { metadata, violations, retryAfterMs } }: Refusal): boolean {
  return metadata !== undefined || violations !== undefined || retryAfterMs !== undefined;
}

function ofRefusal(refusal: Refusal, language: Language): WireRefusal {
  const { byRefusal } = kept[language];
  const known = byRefusal.get(refusal);
  if (known !== undefined) return known;
  const made = new WireRefusal(refusal, language);
  byRefusal.set(refusal, made);
  return made;
}

function ofReason(refusal: Refusal, language: Language): WireRefusal {
  const { byReason } = kept[language];
  const known = byReason.get(refusal.reason);
  if (known !== undefined && known.message === refusal.message) return known;
  const made = new WireRefusal(refusal, language);
  byReason.set(refusal.reason, made);
  return made;
}
