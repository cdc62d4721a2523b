/** What the handlers of a serving process are made of: the paths of claims, of carts and of orders through it. */
import { awaitArchived } from './archive/await-archived.ts';
import { readCouponChanges } from './archive/coupon-history.ts';
import type { ArchivePlaces } from './archive/places.ts';
import { readPointsEntries } from './archive/points-entries.ts';
import type { HandlerDependencies } from './bindings.ts';
import { createFindRef } from './definitions/find-ref.ts';
import type { Evaluator } from './evaluation/evaluator.ts';
import { orderEndings } from './events/order-endings.ts';
import { claimFactsOf, storedFacts } from './events/stored-facts.ts';
import type { ArchivedCoupons } from './ledger/archived-coupons.ts';
import type { PointsHistory } from './points/points-history.ts';
import { Redemptions } from './redemption/redemptions.ts';
import type { RuleSetKeeper } from './ruleset/rule-set-keeper.ts';
import type { Process, Stores } from './stores.ts';
import type { Subsystems } from './subsystems.ts';
import { lacksFacts } from './transport/claim-facts.ts';
import { ClaimIntake } from './transport/claim-intake.ts';
import { decideAgainBy } from './transport/decide-again.ts';
import { evaluateOnce } from './transport/evaluate-once.ts';
import { EvaluationIntake } from './transport/evaluation-intake.ts';
import type { CouponAsk } from './transport/handlers/get-coupon.ts';
import type { LiveSources } from './transport/live-sources.ts';
import { wholeWalletPorts } from './transport/whole-wallet.ts';

/** What a serving process has when its handlers are made. */
export interface ServingParts extends Process {
  readonly places: ArchivePlaces;
  readonly stores: Stores;
  readonly archived: ArchivedCoupons;
  readonly keeper: RuleSetKeeper;
  readonly evaluator: Evaluator;
  readonly live: LiveSources;
  readonly subsystems: Subsystems;
}

type FindRef = HandlerDependencies['findRef'];

/** Puts together what the handlers take. */
export function handlerDependencies(parts: ServingParts): HandlerDependencies {
  const { config, metrics, logger, nowMs, places, stores, archived, keeper, subsystems } = parts;
  const { sql, ledger, definitions } = stores;
  const { book, codes, points, orders: archive, outbound, events } = subsystems;
  const knownRef = (id: string): number | undefined => keeper.current.byId(id)?.ref;
  const findRef = createFindRef({
    sql,
    ledgerRef: (id, deadlineMs) => ledger.read(deadlineMs, (reads) => reads.refOf(id)),
  });
  const evaluations = evaluationIntake(parts);
  const redemptions = serveOrders(parts, evaluations);
  const decideAgain = decideAgainBy(evaluations, nowMs);
  const returns = { ledger, archive, promotions: book, metrics, decideAgain };
  return {
    ledger,
    archived,
    intake: claimIntake(parts, knownRef, findRef),
    evaluations,
    book,
    definitions,
    codes,
    codeClaims: metrics.codeClaims,
    insight: { sql, places },
    redemptions,
    returns,
    points,
    events: { ...events, orders: orderEndings(redemptions, returns) },
    outbound,
    erasures: { sql, ledger, logger, nowMs },
    pointsHistory: pointsHistory(parts),
    findRef: async (id, deadlineMs) => knownRef(id) ?? (await findRef(id, deadlineMs)),
    isDevelopment: config.service.development === 'embedded',
    wallets: wholeWalletPorts(sql, places, ledger, nowMs),
    couponChanges: async ({ userId, couponId, sinceSeq }: CouponAsk, deadlineMs: number) => {
      await awaitArchived(sql, places.ofUser(userId), sinceSeq ?? 0, { nowMs, deadlineMs });
      return await readCouponChanges(sql, couponId, deadlineMs);
    },
    itemDeadlineMs: config.limits.defaultDeadlineMs,
    clock: nowMs,
  };
}

function claimIntake(
  { stores, metrics, keeper }: ServingParts,
  knownRef: (id: string) => number | undefined,
  findRef: FindRef,
): ClaimIntake {
  const { ledger } = stores;
  return new ClaimIntake({
    ledger,
    claims: metrics.claims,
    knownRef,
    lacksFacts: (id, facts) => lacksFacts(keeper.current.byId(id)?.promotion, facts),
    readFacts: async (userId, deadlineMs) => {
      const facts = await storedFacts(ledger, userId, deadlineMs);
      return facts && claimFactsOf(facts);
    },
    findRef,
  });
}

function evaluationIntake(parts: ServingParts): EvaluationIntake {
  const { stores, evaluator, live, metrics, logger, nowMs } = parts;
  const { book } = parts.subsystems;
  return new EvaluationIntake({
    evaluator,
    readHolders: (asks, deadlineMs) => stores.ledger.read(deadlineMs, (reads) => reads.holders(asks)),
    live,
    versionBody: (ref, version, deadlineMs) => book.versionBody(ref, version, deadlineMs),
    evaluations: metrics.evaluations,
    logger,
    nowMs,
  });
}

function serveOrders({ stores, live, metrics, subsystems }: ServingParts, evaluations: EvaluationIntake) {
  const { book, codes, orders } = subsystems;
  return new Redemptions({
    ledger: stores.ledger,
    codes: codes.book,
    promotions: book,
    evaluate: (request, caller, holder) => evaluateOnce(evaluations, request, caller, holder),
    exhausted: live.hints,
    archive: orders,
    metrics,
  });
}

function pointsHistory({ stores, places, nowMs }: ServingParts): PointsHistory {
  const { sql, ledger } = stores;
  return {
    ledger,
    readEntries: (userId, below, limit, deadlineMs) =>
      readPointsEntries(sql, userId, below, limit, deadlineMs),
    awaitArchived: (userId, seq, deadlineMs) =>
      awaitArchived(sql, places.ofUser(userId), seq, { nowMs, deadlineMs }),
  };
}
