/** One question about a cart on its way from its bytes to a worker and back; see `evaluation-intake.ts`. */

import { COUPON_BYTES } from '../domain/coupon.ts';
import { type Identity, mayAssertFacts, mayReplay, requireOwnUser } from '../domain/identity.ts';
import { Refusal } from '../domain/refusal.ts';
import type { ResolvedCode } from '../engine/evaluation-input.ts';
import type { VersionName } from '../engine/rule-table.ts';
import { HEAVY_CODES, HEAVY_COUPONS, HEAVY_REQUEST_BYTES, VERSION_ROUNDS } from '../evaluation/limits.ts';
import type { EvaluationKind, LiveInputs, PendingEvaluation } from '../evaluation/pending-evaluation.ts';
import type { HolderAsk, HolderState } from '../ledger/reads.ts';
import { currentSpan } from '../telemetry/tracing/current-span.ts';
import { asRefusal } from './as-refusal.ts';
import type { HotReply } from './binding.ts';
import type { CallContext } from './call-context.ts';
import { answerDeadline, userOf } from './claim-intake.ts';
import { NOT_WATCHED } from './deadline-watch.ts';
import type { EvaluationIntake, EvaluationOptions } from './evaluation-intake.ts';
import { codesToLookUp, type LiveSources, liveInputs, lookUp } from './live-sources.ts';
import type { ScannedRequest } from './scan-cart-request.ts';

const NO_BYTES = new Uint8Array();

/** What a user id may be; others are left to the worker, which names every fault of the request. */
const USER_ID = /^[A-Za-z0-9._:@-]{1,64}$/;

const NOT_EVALUATED = 'The cart could not be evaluated';
const NO_REPLAY = new Refusal('PERMISSION_DENIED', 'This identity may not have decisions made again');
const TOO_SLOW = new Refusal('DEADLINE_EXCEEDED', 'The deadline passed before the cart was evaluated');
const TOO_OFTEN = new Refusal('EVALUATION_FAILED', 'The promotions changed while the cart was evaluated');

/** Whose wallet is meant; undefined for nobody's. Throws when it is not the caller's to see, or when somebody must be named. */
function holderOf(kind: EvaluationKind, { userId, usesWallet }: ScannedRequest, identity: Identity) {
  if (userId !== '') requireOwnUser(identity, userId);
  if (!usesWallet) return undefined;
  return kind === 'evaluate_cart' ? userId || identity.userId : userOf(identity, userId);
}

/** What is to be read of the user a question is about; undefined for nothing, as is usual without a wallet. */
function askOf(
  { watched }: LiveSources,
  userId: string | undefined,
  wantsWallet: boolean,
  isReplay: boolean,
): HolderAsk | undefined {
  if (userId === undefined || userId === '') return undefined;
  const areUsesLimited = watched.perUser.size > 0;
  const wantsFacts = wantsWallet || watched.looksAtFacts;
  const account = isReplay ? 'none' : areUsesLimited ? 'whole' : wantsFacts ? 'facts' : 'none';
  return wantsWallet || account !== 'none' ? { userId, wantsWallet, account } : undefined;
}

/** One question on its way. */
export class Question implements PendingEvaluation {
  readonly kind: EvaluationKind;
  readonly request: Uint8Array;
  areFactsBelieved: boolean;
  readonly nowMs: number;
  readonly deadlineMs: number;
  readonly bodies: Uint8Array[] = [];
  readonly lookedUp: VersionName[] = [];
  readonly span = currentSpan();
  wallet: Uint8Array = NO_BYTES;
  live: LiveInputs | undefined;
  isSettled = false;
  watchedAt = NOT_WATCHED;
  private readonly intake: EvaluationIntake;
  private readonly reply: HotReply;
  private readonly options: EvaluationOptions;
  private scanned: ScannedRequest | undefined;
  private holder: HolderState | undefined;
  private asksForWallet = false;
  private codes: readonly ResolvedCode[] = [];
  /** Answers that are still to come before the worker is asked. */
  private awaited = 0;
  private rounds = 0;

  constructor(
    intake: EvaluationIntake,
    kind: EvaluationKind,
    request: Uint8Array,
    context: CallContext,
    reply: HotReply,
    options: EvaluationOptions,
  ) {
    this.intake = intake;
    this.options = options;
    this.kind = kind;
    this.request = request;
    this.areFactsBelieved = mayAssertFacts(context.identity);
    this.nowMs = context.nowMs;
    this.deadlineMs = answerDeadline(context);
    this.reply = reply;
  }

  /** Checks who asks and reads what matters to the question. */
  begin(scanned: ScannedRequest | undefined, identity: Identity): void {
    this.scanned = scanned;
    try {
      if (scanned === undefined || !(scanned.userId === '' || USER_ID.test(scanned.userId))) {
        this.send();
        return;
      }
      const holder = holderOf(this.kind, scanned, identity);
      const isReplay = scanned.bringsWallet || scanned.bringsLive || scanned.ruleSetVersion > 0;
      if (isReplay && !mayReplay(identity)) throw NO_REPLAY;
      this.areFactsBelieved ||= isReplay;
      this.gather(scanned, scanned.userId || identity.userId, holder !== undefined);
    } catch (error) {
      this.refused(asRefusal(error, NOT_EVALUATED));
    }
  }

  /** Asks for everything at once; the worker is asked when all of it is there. */
  private gather(scanned: ScannedRequest, userId: string | undefined, hasWallet: boolean): void {
    const { live } = this.intake.ports;
    const isReplay = scanned.ruleSetVersion > 0;
    const { holder } = this.options;
    if (holder !== undefined) this.know(holder);
    const ask =
      holder === undefined ? askOf(live, userId, hasWallet && !scanned.bringsWallet, isReplay) : undefined;
    const codes = isReplay ? [] : codesToLookUp(live, scanned.codes);
    const areLimitsRead = !isReplay && (this.options.freshLimits === true || live.hints.isOld);
    this.asksForWallet = ask?.wantsWallet === true;
    this.awaited = Number(ask !== undefined) + Number(codes.length > 0) + Number(areLimitsRead);
    if (this.awaited === 0) {
      this.sendFirst();
      return;
    }
    if (ask !== undefined)
      this.intake.wallets.read(ask, this.deadlineMs, (holder) => {
        if (holder instanceof Refusal) this.holderNotRead(holder);
        else this.holderRead(holder);
      });
    if (codes.length > 0) void this.findCodes(codes);
    if (areLimitsRead) void live.hints.refresh().then(() => this.arrived());
  }

  private async findCodes(codes: readonly string[]): Promise<void> {
    try {
      const { lookUpCodes } = this.intake.ports.live;
      if (lookUpCodes !== undefined) this.codes = await lookUp(lookUpCodes, codes, this.deadlineMs);
      this.arrived();
    } catch (error) {
      this.refused(asRefusal(error, NOT_EVALUATED));
    }
  }

  private holderRead(holder: HolderState): void {
    this.know(holder);
    this.arrived();
  }

  private know(holder: HolderState): void {
    this.holder = holder;
    this.wallet = holder.wallet;
  }

  /** Without the wallet there is no answer; without kept facts there is one, which says what is not known. */
  private holderNotRead(refusal: Refusal): void {
    if (this.asksForWallet) this.refused(refusal);
    else this.arrived();
  }

  private arrived(): void {
    this.awaited -= 1;
    if (this.awaited === 0 && !this.isSettled) this.sendFirst();
  }

  /** A replay brings everything itself. */
  private sendFirst(): void {
    try {
      const { holder, codes, options, scanned } = this;
      const { live } = this.intake.ports;
      const isReplay = (scanned?.ruleSetVersion ?? 0) > 0;
      if (!isReplay) this.live = liveInputs(live, { holder, codes, limits: options.limits ?? [] });
      this.send();
    } catch (error) {
      this.refused(asRefusal(error, NOT_EVALUATED));
    }
  }

  answered(response: Uint8Array): void {
    this.settle(response);
  }

  refused(refusal: Refusal): void {
    this.settle(refusal);
  }

  expire(): void {
    this.refused(TOO_SLOW);
  }

  needs(versions: readonly VersionName[]): void {
    this.rounds += 1;
    if (this.rounds > VERSION_ROUNDS) this.refused(TOO_OFTEN);
    else void this.bring(versions);
  }

  private async bring(versions: readonly VersionName[]): Promise<void> {
    try {
      await Promise.all(versions.map((name) => this.bringOne(name)));
      this.send();
    } catch (error) {
      this.refused(asRefusal(error, NOT_EVALUATED));
    }
  }

  private async bringOne(name: VersionName): Promise<void> {
    const body = await this.intake.ports.versionBody(name.ref, name.version, this.deadlineMs);
    this.lookedUp.push(name);
    if (body !== undefined) this.bodies.push(body);
  }

  private send(): void {
    if (this.isSettled) return;
    const { evaluator } = this.intake.ports;
    const version = this.scanned?.ruleSetVersion ?? 0;
    if (version > 0) evaluator.replay(this, version, this.deadlineMs);
    else evaluator.submit(this, this.isHeavy());
  }

  private isHeavy(): boolean {
    if (this.request.length > HEAVY_REQUEST_BYTES) return true;
    if (this.kind !== 'evaluate_cart') return false;
    return (
      (this.scanned?.codes.length ?? 0) > HEAVY_CODES ||
      this.scanned?.bringsWallet === true ||
      this.wallet.length > HEAVY_COUPONS * COUPON_BYTES
    );
  }

  private settle(result: Uint8Array | Refusal): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.intake.deadlines.forget(this);
    this.intake.count(result);
    this.reply(result);
  }
}
