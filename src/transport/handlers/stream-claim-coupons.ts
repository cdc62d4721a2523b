/**
 * StreamClaimCoupons: messages of claims on one stream, each answered by one message with its sequence.
 *
 * The stream is read only while fewer than a bounded number of claims are under way, and answers are written no faster than
 * the caller takes them; so a fast caller is slowed down by flow control instead of filling memory.
 */
import { Refusal } from '../../domain/refusal.ts';
import {
  decodeStreamClaimCouponsRequest,
  type StreamClaimCouponsRequest,
  violationsOfStreamClaimCouponsRequest,
} from '../../gen/hot/claim-requests.ts';
import { encodeStreamClaimCouponsResponse } from '../../gen/hot/claim-responses.ts';
import type { StreamHandler, StreamWrite } from '../binding.ts';
import type { CallContext } from '../call-context.ts';
import type { ClaimIntake } from '../claim-intake.ts';
import { claimItems } from '../claim-items.ts';
import { checkedRequest } from '../hot-request.ts';

const CODEC = {
  decode: decodeStreamClaimCouponsRequest,
  violationsOf: violationsOfStreamClaimCouponsRequest,
};

/** Claims of one stream under way at once; four full messages. */
const CLAIMS_IN_FLIGHT = 1_024;

/** What a stream needs beside the intake. */
export interface StreamSettings {
  /** Time each message's claims have, ms, when the stream has no deadline of its own. */
  readonly itemDeadlineMs: number;
  readonly clock: () => number;
}

/** One stream: its messages under way, and the first failure. */
class ClaimStream {
  private readonly intake: ClaimIntake;
  private readonly context: CallContext;
  private readonly settings: StreamSettings;
  private readonly write: StreamWrite;
  private readonly underWay = new Set<Promise<void>>();
  private claims = 0;
  private failure: unknown;

  constructor(intake: ClaimIntake, context: CallContext, settings: StreamSettings, write: StreamWrite) {
    this.intake = intake;
    this.context = context;
    this.settings = settings;
    this.write = write;
  }

  /** Starts a message; resolves when the next one may be read. */
  async take(bytes: Uint8Array): Promise<void> {
    const request = checkedRequest(CODEC, bytes);
    while (this.claims + request.items.length > CLAIMS_IN_FLIGHT && this.underWay.size > 0) {
      await Promise.race(this.underWay);
    }
    this.throwFailure();
    const answered = this.answer(request);
    this.underWay.add(answered);
    void answered.then(() => this.underWay.delete(answered));
  }

  /** Waits for everything that was taken. */
  async finish(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay);
    this.throwFailure();
  }

  /** Never rejects: a failure is kept for the reader of the stream. */
  private async answer(request: StreamClaimCouponsRequest): Promise<void> {
    this.claims += request.items.length;
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    claimItems(this.intake, request.items, this.itemContext(), (results) =>
      resolve(encodeStreamClaimCouponsResponse({ sequence: request.sequence, results })),
    );
    try {
      await this.write(await promise);
    } catch (error) {
      this.failure ??= error;
    } finally {
      this.claims -= request.items.length;
    }
  }

  private itemContext(): CallContext {
    const nowMs = this.settings.clock();
    const { identity, signal, deadlineMs } = this.context;
    return {
      identity,
      signal,
      nowMs,
      deadlineMs: Math.min(deadlineMs, nowMs + this.settings.itemDeadlineMs),
    };
  }

  private throwFailure(): void {
    if (this.failure === undefined) return;
    if (this.failure instanceof Refusal) throw this.failure;
    throw new Refusal('INTERNAL', 'The stream broke', { cause: this.failure });
  }
}

/** Makes the handler. */
export function streamClaimCoupons(intake: ClaimIntake, settings: StreamSettings): StreamHandler {
  return async (requests, context, write) => {
    const stream = new ClaimStream(intake, context, settings, write);
    for await (const bytes of requests) await stream.take(bytes);
    await stream.finish();
  };
}
