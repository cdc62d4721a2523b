/**
 * The one way a claim takes from a checked request to the ledger and back; the unary, batch and stream handlers share it.
 */
import type { Identity } from '../domain/identity.ts';
import { mayAssertFacts, requireOwnUser } from '../domain/identity.ts';
import { Refusal } from '../domain/refusal.ts';
import type { ClaimedCoupon, ClaimFacts, ClaimRefusal, ClaimRequest } from '../ledger/claim-operation.ts';
import { couponFieldHex } from '../ledger/coupon-field.ts';
import type { ClaimOutcome } from '../telemetry/ledger-metrics.ts';
import type { Counter, Family } from '../telemetry/metric.ts';
import { asRefusal } from './as-refusal.ts';
import type { CallContext } from './call-context.ts';
import { completedFacts } from './claim-facts.ts';
import { ClaimRefusals } from './claim-refusals.ts';

/** What the intake needs from outside. */
export interface ClaimIntakePorts {
  readonly ledger: { claim(request: ClaimRequest): void };
  readonly claims: Family<Counter, readonly [ClaimOutcome]>;
  /** The ref of a promotion as far as this process knows it; ids never change their ref. */
  knownRef(promotionId: string): number | undefined;
  /** Whether the promotion asks for a fact that is not among these, as far as this process knows it. */
  lacksFacts(promotionId: string, facts: ClaimFacts | undefined): boolean;
  /** What is kept about a user; undefined when nothing is. Throws a refusal when that is unknown. */
  readFacts(userId: string, deadlineMs: number): Promise<ClaimFacts | undefined>;
  /** Looks the ref up where it is defined; undefined when there is no such promotion. Throws a refusal when that is unknown. */
  findRef(promotionId: string, deadlineMs: number): Promise<number | undefined>;
}

/** A claim as a request states it. An empty user id means the user of the token. */
export interface ClaimItem {
  readonly promotionId: string;
  readonly userId: string;
  readonly requestId: string;
  readonly facts: ClaimFacts | undefined;
}

/** A claim of which everything is known that the ledger decides by. */
interface KnownClaim {
  readonly userId: string;
  readonly ref: number;
  readonly facts: ClaimFacts | undefined;
}

/** Hears the one answer of a claim. */
export interface ClaimAnswerListener {
  claimed(coupon: ClaimedCoupon): void;
  refused(refusal: Refusal): void;
}

/**
 * Time kept back from a deadline, in milliseconds, so that an answer that says why arrives before the caller gives up, as
 * far as the deadline allows for it.
 */
const ANSWER_MARGIN_MS = 10;
const ANSWER_MARGIN_SHARE = 0.1;

/** When an answer must be given at the latest, in local epoch milliseconds: a little before the caller gives up. */
export function answerDeadline({ deadlineMs, nowMs }: CallContext): number {
  return deadlineMs - Math.min(ANSWER_MARGIN_MS, (deadlineMs - nowMs) * ANSWER_MARGIN_SHARE);
}

/** The user a request is about: the one it names, or the caller himself. Throws when it names nobody or somebody else's id. */
export function userOf(identity: Identity, userId: string): string {
  if (userId !== '') {
    requireOwnUser(identity, userId);
    return userId;
  }
  if (identity.userId !== undefined) return identity.userId;
  const violation = { field: 'user_id', description: 'is required unless the caller is an end user' };
  throw new Refusal('INVALID_REQUEST', 'user_id is required', { violations: [violation] });
}

/** Passes the ledger's answer on and counts it. */
class CountedAnswer {
  private readonly intake: ClaimIntake;
  private readonly promotionId: string;
  private readonly answer: ClaimAnswerListener;

  constructor(intake: ClaimIntake, promotionId: string, answer: ClaimAnswerListener) {
    this.intake = intake;
    this.promotionId = promotionId;
    this.answer = answer;
  }

  claimed(coupon: ClaimedCoupon): void {
    this.intake.count(coupon.isReplay ? 'replayed' : 'claimed');
    this.answer.claimed(coupon);
  }

  refused(refusal: ClaimRefusal): void {
    this.intake.count(refusal.reason);
    this.answer.refused(this.intake.refusals.of(refusal, this.promotionId));
  }
}

/** Takes claims in; see the module's comment. */
export class ClaimIntake {
  readonly refusals = new ClaimRefusals();
  private readonly ports: ClaimIntakePorts;

  constructor(ports: ClaimIntakePorts) {
    this.ports = ports;
  }

  /** Counts how a claim ended. */
  count(outcome: ClaimOutcome): void {
    this.ports.claims.child(outcome).value += 1;
  }

  /** Takes one checked claim; `answer` hears exactly once, before the call's deadline. */
  submit(item: ClaimItem, context: CallContext, answer: ClaimAnswerListener): void {
    try {
      const userId = userOf(context.identity, item.userId);
      const ref = this.ports.knownRef(item.promotionId);
      const facts = this.assertedFacts(item, context);
      if (ref === undefined || this.ports.lacksFacts(item.promotionId, facts))
        void this.submitAfterReads(item, { userId, ref, facts }, context, answer);
      else this.send({ userId, ref, facts }, item, context, answer);
    } catch (error) {
      this.refuse(error, answer);
    }
  }

  /** What the caller states, if it may. */
  private assertedFacts({ facts }: ClaimItem, { identity }: CallContext): ClaimFacts | undefined {
    return facts !== undefined && mayAssertFacts(identity) ? facts : undefined;
  }

  private send(
    { userId, ref, facts }: KnownClaim,
    item: ClaimItem,
    context: CallContext,
    answer: ClaimAnswerListener,
  ): void {
    this.ports.ledger.claim({
      promotionRef: ref,
      userId,
      fieldHex: couponFieldHex('claim', userId, item.requestId),
      deadlineMs: answerDeadline(context),
      facts,
      listener: new CountedAnswer(this, item.promotionId, answer),
    });
  }

  /** A claim of a promotion that this process does not know, or that asks for facts nobody stated: they are read before. */
  private async submitAfterReads(
    item: ClaimItem,
    known: Omit<KnownClaim, 'ref'> & { readonly ref: number | undefined },
    context: CallContext,
    answer: ClaimAnswerListener,
  ): Promise<void> {
    const { userId } = known;
    const deadlineMs = answerDeadline(context);
    try {
      const [ref, kept] = await Promise.all([
        known.ref ?? this.ports.findRef(item.promotionId, context.deadlineMs),
        this.ports.readFacts(userId, deadlineMs),
      ]);
      if (ref === undefined) throw this.notFound(item.promotionId);
      this.send({ userId, ref, facts: completedFacts(known.facts, kept) }, item, context, answer);
    } catch (error) {
      this.refuse(error, answer);
    }
  }

  private notFound(promotionId: string): Refusal {
    return this.refusals.of(
      { reason: 'PROMOTION_NOT_FOUND', needed: 0, seen: 0, isFactMissing: false },
      promotionId,
    );
  }

  private refuse(error: unknown, answer: ClaimAnswerListener): void {
    const refusal = asRefusal(error, 'The claim could not be decided');
    this.count(refusal.reason);
    answer.refused(refusal);
  }
}
