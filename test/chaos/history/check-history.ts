/**
 * Decides whether a run kept the promises: what clients were told (the history) against what the stores hold in the end.
 *
 * It reads the log as an account of everything that happened, counts stock, limits, money and points anew from it, and
 * shares only the formats of records with the product. An unknown outcome may be either, but never both and never twice.
 */
import { callsOf, strayEnds } from './calls.ts';
import { checkAcknowledged } from './checks/acknowledged.ts';
import {
  checkFreshOnce,
  checkNoLateEffects,
  checkNoLateRefusals,
  checkOneEach,
  checkRefused,
  checkSameAnswers,
} from './checks/answers.ts';
import { checkAskedFor } from './checks/asked-for.ts';
import { checkCauses, Timeline } from './checks/causes.ts';
import { CouponBook } from './checks/coupon-book.ts';
import { HolderCheck } from './checks/coupon-holders.ts';
import { Definitions } from './checks/definitions.ts';
import type { LogBooks } from './checks/evidence.ts';
import { checkCursorLooks, checkLiveness } from './checks/liveness.ts';
import { checkLogOrder } from './checks/log-order.ts';
import { OrderBook } from './checks/order-book.ts';
import { PointsBook } from './checks/points.ts';
import { checkPools, PoolCheck } from './checks/pool.ts';
import { RequestBook } from './checks/request-book.ts';
import { ReservationCheck } from './checks/reservation-life.ts';
import { StockCheck } from './checks/stock.ts';
import { type Books, checkTables, checkThreeWays } from './checks/three-ways.ts';
import { UseLimitCheck } from './checks/use-limits.ts';
import { UserLimitCheck } from './checks/user-limits.ts';
import type { HistoryRecord } from './history.ts';
import type { LedgerState } from './state/ledger-state.ts';
import { type Observer, replay, type World } from './state/replay.ts';
import { Findings } from './violation.ts';

/** What a run may have done to its promises on purpose. */
export interface CheckOptions {
  /** A crash may have taken what was promised FAST only; it is counted, not a breach. By default false. */
  readonly mayLoseFast?: boolean;
  /** The history tells of every client of the ledger, so nothing happens that it does not tell. By default true. */
  readonly isEveryClientTold?: boolean;
  /** Postgres was set back, so that its cursor went back and the log has a recorded hole. By default false. */
  readonly wasPostgresSetBack?: boolean;
  /** How far clocks may be apart and hints may be old, in ms; undefined: a clock was moved, so reasons are not judged. */
  readonly clockSlackMs?: number | undefined;
}

/** Hints about stock may be a quarter of a second old; the rest is for a busy machine. */
const CLOCK_SLACK_MS = 1_000;

interface Reading {
  readonly books: LogBooks;
  readonly timeline: Timeline;
  readonly worlds: ReadonlyMap<number, World>;
}

/** Checks a run and answers with what was found; no violations means that every promise was kept. */
export function checkHistory(
  history: readonly HistoryRecord[],
  state: LedgerState,
  options: CheckOptions = {},
): Findings {
  const findings = new Findings();
  const { mayLoseFast = false, isEveryClientTold = true, wasPostgresSetBack = false } = options;
  const { books, timeline, worlds } = readLogs(findings, state);
  checkPools(findings, state, worlds);
  checkTables(findings, state, tableBooks(books));
  checkLiveness(findings, state);
  if (!wasPostgresSetBack) checkCursorLooks(findings, history, state);
  const calls = callsOf(history);
  countCalls(findings, calls);
  for (const id of strayEnds(history))
    findings.breach('I12', 'stray-end', `the history ends attempt ${id}, which is not under way`, {
      attempts: [id],
    });
  checkAcknowledged({ findings, books, state, mayLoseFast }, calls);
  checkSameAnswers(findings, calls, mayLoseFast);
  checkFreshOnce(findings, calls, mayLoseFast);
  checkNoLateRefusals(findings, calls, history, mayLoseFast);
  checkRefused(findings, calls, books);
  checkOneEach(findings, calls, books);
  if (isEveryClientTold) checkAskedFor(findings, calls, books);
  const slackMs = 'clockSlackMs' in options ? options.clockSlackMs : CLOCK_SLACK_MS;
  if (slackMs !== undefined) {
    checkNoLateEffects(findings, calls, books, slackMs);
    // What a crash took is in no log, so the log does not show why it stood in somebody's way.
    if (!mayLoseFast) checkCauses({ findings, timeline, definitions: books.definitions, slackMs }, calls);
  }
  return findings;
}

/** Replays every log past the checks of events, and compares each partition with what the stores hold. */
function readLogs(findings: Findings, state: LedgerState): Reading {
  const { partitions } = state;
  const definitions = new Definitions(findings);
  const coupons = new CouponBook(findings);
  const orders = new OrderBook(findings);
  const points = new PointsBook(findings);
  const requests = new RequestBook(findings);
  const timeline = new Timeline(coupons, definitions, partitions);
  const observers: Observer[] = [
    ...[definitions, coupons, orders, points, requests, timeline],
    new StockCheck(findings, coupons, definitions, partitions),
    new PoolCheck(findings),
    new UserLimitCheck(findings, coupons, definitions),
    new HolderCheck(findings, coupons, orders),
    new ReservationCheck(findings, orders),
    new UseLimitCheck(findings, orders, definitions, partitions),
  ];
  const worlds = new Map<number, World>();
  for (const one of state.logs) {
    checkLogOrder(findings, one);
    const world = replay(one, observers);
    checkThreeWays(findings, one, world);
    if (one.generation === state.generation) worlds.set(one.partition, world);
  }
  for (const observer of observers) observer.end?.();
  return { books: { definitions, coupons, orders, points, requests }, timeline, worlds };
}

function tableBooks({ coupons, orders, points }: LogBooks): Books {
  return {
    couponState: (userId, fieldHex) => coupons.valueOf(userId, fieldHex)?.state,
    order: (userId, orderId) => orders.versions(userId, orderId).at(-1)?.head,
    orderNames: () =>
      [...orders.orders].flatMap(([first]) => (first ? `${first.userId}/${first.orderId}` : [])),
    points: (userId) => points.entriesOf(userId),
    pointsUsers: () => points.users,
  };
}

function countCalls(findings: Findings, calls: ReturnType<typeof callsOf>): void {
  for (const { outcome, attempts } of calls) {
    findings.count(`calls ${outcome}`);
    findings.count('attempts', attempts.length);
  }
}
