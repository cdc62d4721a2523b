/**
 * Group commit: claims that arrive while a script call is under way travel together as the next one.
 *
 * The answer to a claim is given when the script has run and its write is as durable as the server makes it, so claims of
 * one batch share one script call and one fsync. What may go wrong at each step, and what is done:
 *
 * - the deadline passes while the claim waits: it is dropped unsent and refused;
 * - the deadline passes while it travels: the answer is "unknown"; the script itself refuses late claims;
 * - no reply, or a server that cannot work: the same claims are sent again until their deadlines (scripts are idempotent);
 * - the attempt after one without a reply is refused: the refusal counts once the first cannot land any more (`open-attempts.ts`);
 * - nothing is left in this partition of a quantity that others have too: the claim steps aside until some is (`leases/`);
 * - the promotion asks for the level LEDGER: the answer waits for the archive, apart from later calls;
 * - the script fails: the batch is run claim by claim, the one that fails alone is refused as INTERNAL and reported.
 */

import type { RefusalReason } from '../domain/refusal.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { currentSpan } from '../telemetry/tracing/current-span.ts';
import { ArchivedAnswers, type ArchivedAnswersPorts } from './archived-answers.ts';
import { type BatchReply, type BatchSettings, decodeBatchReply, encodeBatch } from './claim-batch.ts';
import {
  type ClaimRequest,
  encodeFacts,
  OUTCOME_CORRUPT,
  OUTCOME_LATE,
  OUTCOME_REPLAYED,
  OUTCOME_SOLD_OUT,
  OUTCOME_UNDEFINED,
  refusalOf,
} from './claim-operation.ts';
import { ClaimQueue, type WaitingClaim } from './claim-queue.ts';
import { ClaimsAside, type ClaimsAsidePorts } from './claims-aside.ts';
import type { PartitionKeys } from './keys.ts';
import * as limits from './limits.ts';
import { OpenAttempts } from './open-attempts.ts';
import { RetryDelay } from './retry-delay.ts';
import { ScriptFailure } from './script-runner.ts';
import { tracedScript } from './script-span.ts';
import type { ServerClock } from './server-clock.ts';
import { TurnEnd } from './turn-end.ts';

/** What a group commit needs from outside. */
export interface GroupCommitPorts {
  readonly keys: PartitionKeys;
  /** Claims that may wait; more are refused at once. */
  readonly queueLimit: number;
  readonly metrics: Metrics;
  runClaims(keys: readonly string[], args: readonly (string | Buffer)[]): Promise<unknown>;
  settings(): Omit<BatchSettings, 'clockOffsetMs' | 'attemptUntilMs'>;
  /** Longest wait for a reply, ms: an attempt that lands later is of no use. */
  readonly attemptMs: number;
  readonly clock: ServerClock;
  readonly defineMissing: ClaimsAsidePorts['defineMissing'];
  readonly obtainUnits?: ClaimsAsidePorts['obtainUnits'];
  readonly archived: ArchivedAnswersPorts['archived'];
  /** Reports a claim the script cannot decide; somebody must look. */
  reportBroken(promotionRef: number, cause: string): void;
  nowMs(): number;
}

const NO_FACTS = Buffer.alloc(0);

/** The claims of one partition on their way to the ledger. */
export class GroupCommit {
  private readonly ports: GroupCommitPorts;
  private readonly queue = new ClaimQueue();
  /** A few batches. Not a Set, whose old tables would keep batches alive (see `stream-table.ts`). */
  private travelling: readonly (readonly WaitingClaim[])[] = [];
  private readonly turnEnd = new TurnEnd(() => this.pump());
  private readonly retryDelay = new RetryDelay();
  private obstacle: RefusalReason | undefined;
  /** No claim here has an earlier deadline, so until then there is nothing to sweep. */
  private earliestDeadlineMs = Number.POSITIVE_INFINITY;
  private sweepTimer: NodeJS.Timeout | undefined;
  private readonly aside: ClaimsAside;
  private readonly attempts: OpenAttempts<WaitingClaim>;
  private readonly answers: ArchivedAnswers;
  private idle: PromiseWithResolvers<void> | undefined;

  constructor(ports: GroupCommitPorts) {
    this.ports = ports;
    this.aside = new ClaimsAside({
      defineMissing: (ref) => ports.defineMissing(ref),
      obtainUnits: ports.obtainUnits,
      putBack: (claims) => this.queue.putBack(claims),
      refuse: (claim, reason, needed, seen) => this.settleRefused(claim, reason, needed, seen),
      onGone: () => this.pump(),
    });
    this.attempts = new OpenAttempts({
      attemptMs: ports.attemptMs,
      clock: ports.clock,
      nowMs: () => ports.nowMs(),
      putBack: (claim) => this.putBack(claim),
    });
    this.answers = new ArchivedAnswers({ archived: ports.archived, onSettled: () => this.settleIdle() });
  }

  /** Claims waiting for a call. */
  get waiting(): number {
    return this.queue.size;
  }

  /** Claims sent and not yet answered. */
  get inFlight(): number {
    return this.travelling.reduce((sum, batch) => sum + batch.length, 0);
  }

  /** Takes a claim; its listener hears exactly one answer, by its deadline. */
  submit(request: ClaimRequest): void {
    if (this.queue.size >= this.ports.queueLimit) {
      this.refuse(request, 'LEDGER_OVERLOADED');
      return;
    }
    const facts = request.facts === undefined ? NO_FACTS : encodeFacts(request.facts);
    if (request.deadlineMs < this.earliestDeadlineMs) this.earliestDeadlineMs = request.deadlineMs;
    const costUs = limits.CLAIM_COST_US + (facts.length > 0 ? limits.FACTS_COST_US : 0);
    const span = currentSpan();
    this.queue.push({ request, facts, costUs, isSettled: false, unknownUntilMs: 0, span });
    this.schedulePump();
  }

  /** Resolves when every claim taken so far has its answer. */
  async drain(): Promise<void> {
    if (this.isIdle()) return;
    this.idle ??= Promise.withResolvers<void>();
    await this.idle.promise;
  }

  private isIdle(): boolean {
    const aside = this.aside.size + this.answers.waiting;
    if (this.queue.size > 0 || this.travelling.length > 0 || aside > 0) return false;
    // Who has been told that the outcome is unknown waits for nothing, however long the attempt may still land.
    return this.attempts.items.values().every(({ isSettled }) => isSettled);
  }

  private schedulePump(): void {
    this.turnEnd.schedule();
    this.sweepTimer ??= setInterval(() => this.sweepDeadlines(), limits.DEADLINE_SWEEP_MS);
  }

  private maySend(): boolean {
    if (this.queue.size === 0 || this.retryDelay.isPausing) return false;
    if (this.travelling.length === 0) return true;
    return (
      this.travelling.length < limits.BATCHES_IN_FLIGHT &&
      this.queue.totalCostUs >= limits.FURTHER_CALL_COST_US
    );
  }

  private pump(): void {
    this.sendWaiting();
    this.settleIdle();
  }

  private sendWaiting(): void {
    while (this.maySend()) {
      const late: WaitingClaim[] = [];
      const batch = this.queue.take(
        limits.BATCH_COST_LIMIT_US,
        limits.PROMOTIONS_PER_BATCH,
        this.ports.nowMs(),
        late,
      );
      for (const claim of late) this.expire(claim);
      if (batch.length > 0) void this.send(batch);
    }
  }

  /**
   * Never rejects: every failure ends in an answer or another attempt. The next call leaves before this one's answers are
   * given, so that the ledger works while they are.
   */
  private async send(batch: readonly WaitingClaim[]): Promise<void> {
    this.travelling = [...this.travelling, batch];
    const attemptUntilMs = this.attempts.endMs();
    const outcome = await this.call(batch, attemptUntilMs).catch((error: unknown) =>
      error instanceof ScriptFailure ? error : new ScriptFailure('script', String(error)),
    );
    this.travelling = this.travelling.filter((each) => each !== batch);
    if (outcome instanceof ScriptFailure) this.fail(batch, outcome, attemptUntilMs);
    else if (outcome === undefined) this.findClosed(batch);
    else this.receive(batch, outcome);
    this.pump();
  }

  private async call(
    batch: readonly WaitingClaim[],
    attemptUntilMs: number,
  ): Promise<BatchReply | undefined> {
    const clockOffsetMs = this.ports.clock.leastOffsetMs;
    const settings = { ...this.ports.settings(), clockOffsetMs, attemptUntilMs };
    const { keys, args } = encodeBatch(batch, this.ports.keys, settings);
    const sentAtMs = performance.now();
    const sentWallMs = this.ports.nowMs();
    const raw = await tracedScript('claim', batch, () => this.ports.runClaims(keys, args));
    const tookMs = performance.now() - sentAtMs;
    const reply = decodeBatchReply(raw, batch.length);
    this.ports.metrics.scriptSeconds.observe(tookMs / 1000);
    this.ports.metrics.ledgerBatchItems.observe(batch.length);
    if (reply !== undefined) this.ports.clock.learn(reply.nowMs, sentWallMs, tookMs);
    return reply;
  }

  private findClosed(batch: readonly WaitingClaim[]): void {
    this.ports.metrics.ledgerPartitionOpen.value = 0;
    this.retryLater(batch, 'LEDGER_CLOSED');
  }

  private receive(batch: readonly WaitingClaim[], reply: BatchReply): void {
    this.obstacle = undefined;
    this.retryDelay.reset();
    this.ports.metrics.ledgerBacklogEvents.value = reply.backlogEvents;
    this.ports.metrics.ledgerPartitionOpen.value = 1;
    this.sendWaiting();
    for (const [index, claim] of batch.entries()) this.answer(claim, reply, index);
  }

  private answer(claim: WaitingClaim, reply: BatchReply, index: number): void {
    const outcome = reply.outcome(index);
    if (outcome === OUTCOME_UNDEFINED) {
      this.aside.awaitDefinition(claim);
      return;
    }
    if (claim.isSettled) return;
    if (outcome > OUTCOME_REPLAYED && this.isHeld(claim, outcome, reply.nowMs)) return;
    if (outcome === OUTCOME_SOLD_OUT && this.aside.awaitUnits(claim, reply.version(index))) return;
    const { request } = claim;
    if (outcome <= OUTCOME_REPLAYED) {
      this.answers.give(claim, reply.coupon(index, request.fieldHex), reply.entrySeq);
      return;
    }
    claim.isSettled = true;
    if (outcome === OUTCOME_CORRUPT) this.ports.reportBroken(request.promotionRef, 'a record cannot be read');
    request.listener.refused(refusalOf(outcome, reply.needed(index), reply.seen(index)));
  }

  private isHeld(claim: WaitingClaim, outcome: number, serverNowMs: number): boolean {
    const { deadlineMs } = claim.request;
    return this.attempts.hold(claim, { deadlineMs, isLate: outcome === OUTCOME_LATE, serverNowMs });
  }

  private putBack(claim: WaitingClaim): void {
    if (!claim.isSettled) this.queue.putBack([claim]);
    this.pump();
  }

  private fail(batch: readonly WaitingClaim[], failure: ScriptFailure, attemptUntilMs: number): void {
    if (failure.kind === 'unreachable') this.attempts.lost(batch, attemptUntilMs);
    if (failure.kind === 'script') {
      this.ports.metrics.ledgerScriptErrors.value += 1;
      this.runAlone(batch, failure);
      return;
    }
    if (failure.kind === 'memory') {
      for (const claim of batch) this.settleRefused(claim, 'LEDGER_OUT_OF_MEMORY');
      return;
    }
    this.retryLater(batch, 'LEDGER_UNAVAILABLE');
  }

  private runAlone(batch: readonly WaitingClaim[], failure: ScriptFailure): void {
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      this.ports.reportBroken(only.request.promotionRef, failure.message);
      this.settleRefused(only, 'INTERNAL');
      return;
    }
    this.ports.metrics.ledgerRetries.child('failed_batch').value += 1;
    void this.sendEach(batch);
  }

  private async sendEach(claims: readonly WaitingClaim[]): Promise<void> {
    for (const claim of claims) await this.send([claim]);
  }

  private retryLater(batch: readonly WaitingClaim[], obstacle: 'LEDGER_CLOSED' | 'LEDGER_UNAVAILABLE'): void {
    this.ports.metrics.ledgerRetries.child(obstacle === 'LEDGER_CLOSED' ? 'closed' : 'connection').value += 1;
    this.obstacle = obstacle;
    this.queue.putBack(batch.filter((claim) => !claim.isSettled));
    this.retryDelay.begin(() => this.pump());
  }

  private sweepDeadlines(): void {
    const nowMs = this.ports.nowMs();
    if (nowMs <= this.earliestDeadlineMs) return;
    this.earliestDeadlineMs = Number.POSITIVE_INFINITY;
    for (const claim of this.queue.removeLate(nowMs)) this.expire(claim);
    for (const batch of this.travelling) this.sweep(batch, nowMs);
    for (const group of this.aside.undefinedOnes()) this.sweep(group, nowMs);
    // Whatever is left elsewhere could not be found out.
    for (const group of this.aside.lackingOnes()) this.sweep(group, nowMs, 'LEDGER_UNAVAILABLE');
    this.sweep(this.attempts.items, nowMs, 'LEDGER_UNAVAILABLE');
    this.sweep(this.queue.waiting(), nowMs);
    this.settleIdle();
  }

  /** Refuses the claims whose time is up, and remembers the next deadline of the others. */
  private sweep(claims: Iterable<WaitingClaim>, nowMs: number, obstacle?: RefusalReason): void {
    for (const claim of claims) {
      const { deadlineMs } = claim.request;
      if (claim.isSettled) continue;
      if (deadlineMs < nowMs) this.expire(claim, obstacle);
      else this.earliestDeadlineMs = Math.min(this.earliestDeadlineMs, deadlineMs);
    }
  }

  /** A claim whose time is up hears what stood in its way, if anything did. Each of these answers means "unknown". */
  private expire(claim: WaitingClaim, obstacle = this.obstacle): void {
    this.settleRefused(claim, obstacle ?? 'DEADLINE_EXCEEDED');
  }

  private settleRefused(claim: WaitingClaim, reason: RefusalReason, needed?: number, seen?: number): void {
    if (claim.isSettled) return;
    claim.isSettled = true;
    this.refuse(claim.request, reason, needed, seen);
  }

  private refuse(request: ClaimRequest, reason: RefusalReason, needed = 0, seen = 0): void {
    request.listener.refused({ reason, needed, seen, isFactMissing: false });
  }

  private settleIdle(): void {
    if (!this.isIdle()) return;
    clearInterval(this.sweepTimer);
    this.sweepTimer = undefined;
    this.idle?.resolve();
    this.idle = undefined;
  }
}
