import type { LiveLimit } from '../domain/live-limit.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Evaluator } from '../evaluation/evaluator.ts';
import type { EvaluationKind } from '../evaluation/pending-evaluation.ts';
import type { HolderState } from '../ledger/reads.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import type { Counter, Family } from '../telemetry/metric.ts';
import type { EvaluationOutcome } from '../telemetry/metrics.ts';
import type { HotReply } from './binding.ts';
import type { CallContext } from './call-context.ts';
import { DeadlineWatch } from './deadline-watch.ts';
import { Question } from './evaluation-question.ts';
import type { LiveSources } from './live-sources.ts';
import {
  type ScannedRequest,
  scanEvaluateCart,
  scanListUsableCoupons,
  scanValidateCoupon,
} from './scan-cart-request.ts';
import { type ReadHolders, type WalletReads, walletReads } from './wallet-reads.ts';

/** What the intake needs from outside. */
export interface EvaluationIntakePorts {
  readonly evaluator: Pick<Evaluator, 'submit' | 'replay'>;
  readonly readHolders: ReadHolders;
  readonly live: LiveSources;
  /** A stored version of a promotion in binary form; undefined when there is none. Throws a refusal when that is not known. */
  readonly versionBody: (ref: number, version: number, deadlineMs: number) => Promise<Uint8Array | undefined>;
  readonly evaluations: Family<Counter, readonly [EvaluationOutcome]>;
  readonly logger: Logger;
  /** Local epoch milliseconds. */
  readonly nowMs: () => number;
}

/** What a part of this service that asks knows better. */
export interface EvaluationOptions {
  /** Limits as they are known to be; they count before what this process remembers of them. */
  readonly limits?: readonly LiveLimit[];
  /** Read the limits of all promotions anew before the decision. */
  readonly freshLimits?: boolean;
  /** The wallet as far as it matters and the whole account of the user, just read; they are not read again. */
  readonly holder?: HolderState;
}

const NO_OPTIONS: EvaluationOptions = {};
const SCANS: Readonly<Record<EvaluationKind, (bytes: Uint8Array) => ScannedRequest | undefined>> = {
  evaluate_cart: scanEvaluateCart,
  list_usable_coupons: scanListUsableCoupons,
  validate_coupon: scanValidateCoupon,
};

/** Takes questions about carts in; see the module's comment. */
export class EvaluationIntake {
  readonly ports: EvaluationIntakePorts;
  readonly deadlines: DeadlineWatch;
  readonly wallets: WalletReads;

  constructor(ports: EvaluationIntakePorts) {
    this.ports = ports;
    this.deadlines = new DeadlineWatch(ports.nowMs);
    this.wallets = walletReads(ports.readHolders, this.deadlines);
  }

  /** Takes one question; `reply` hears exactly once, before the call's deadline. */
  submit(
    kind: EvaluationKind,
    request: Uint8Array,
    context: CallContext,
    reply: HotReply,
    options: EvaluationOptions = NO_OPTIONS,
  ): void {
    const question = new Question(this, kind, request, context, reply, options);
    this.deadlines.watch(question);
    question.begin(SCANS[kind](request), context.identity);
  }

  /** Counts how an evaluation ended; a fault of ours goes to the log. */
  count(result: Uint8Array | Refusal): void {
    const outcome = result instanceof Refusal ? result.reason : 'decided';
    this.ports.evaluations.child(outcome).value += 1;
    if (!(result instanceof Refusal) || result.reason !== 'INTERNAL') return;
    const line = { event: LOG_EVENTS.evaluationFailed, err: result.detail.cause ?? result };
    this.ports.logger.error(line, 'a cart could not be evaluated');
  }
}
