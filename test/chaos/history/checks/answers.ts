/** I4 and I12 of answers: the same request is answered the same, and what was refused did not happen. */
import { REASONS } from '../../../../src/domain/refusal.ts';
import { attemptIds, type Call } from '../calls.ts';
import type { HistoryRecord, Ok } from '../history.ts';
import type { Findings } from '../violation.ts';
import { couponOf, effectOf, type LogBooks } from './evidence.ts';

/** Refusals that speak of the moment and not of the request: allowed even after it was carried out. */
function isOfTheMoment(reason: string): boolean {
  const facts = Object.entries(REASONS).find(([name]) => name === reason)?.[1];
  return facts === undefined || 'retryAfterMs' in facts;
}

/** All answers to one request say the same. */
export function checkSameAnswers(findings: Findings, calls: readonly Call[], mayLoseFast: boolean): void {
  for (const { oks, operation, userId, requestId } of calls) {
    const [first] = oks;
    const isExcused = mayLoseFast && first?.answer.acknowledgement === 'fast';
    const other = oks.find(({ digest }) => digest !== first?.digest);
    if (oks.length > 1) findings.count('requests answered more than once');
    if (first === undefined || other === undefined || isExcused) continue;
    const text = `${operation} ${requestId} of ${userId} was answered with ${first.digest} and with ${other.digest}`;
    findings.breach('I4', 'answered-otherwise', text, { attempts: [first.id, other.id] });
  }
}

/** Only one attempt of a call can be the one that did it; every other one repeats it. */
export function checkFreshOnce(findings: Findings, calls: readonly Call[], mayLoseFast: boolean): void {
  for (const { oks, operation, userId, requestId } of calls) {
    const fresh = oks.filter(({ answer }) => answer.replayed === false);
    const isExcused = mayLoseFast && fresh[0]?.answer.acknowledgement === 'fast';
    if (fresh.length < 2 || isExcused) continue;
    const text = `${fresh.length} attempts of ${operation} ${requestId} of ${userId} are told that they did it`;
    findings.breach('I4', 'done-twice', text, { attempts: fresh.map(({ id }) => id) });
  }
}

/**
 * Who was refused after every other attempt's time was over knows that nothing was done before and nothing is begun later:
 * an attempt carries its deadline into the ledger.
 */
export function checkNoLateEffects(
  findings: Findings,
  calls: readonly Call[],
  books: LogBooks,
  slackMs: number,
): void {
  for (const call of calls) {
    // A code that was bound by an attempt is completed by a job, whenever it can be.
    if (call.outcome !== 'unknown' || call.operation === 'claimCode') continue;
    const endMs = Math.max(
      ...call.attempts
        .filter(({ end }) => end?.kind !== 'refused')
        .map(({ invoke }) => invoke.at + invoke.timeoutMs),
    );
    const settling = call.attempts.find(
      ({ invoke, end }) =>
        end?.kind === 'refused' && invoke.at > endMs + slackMs && !isOfTheMoment(end.reason),
    );
    if (settling === undefined) continue;
    findings.count('late refusals held to the log');
    const place = effectOf(books, call);
    if (place === undefined) continue;
    const text = `${call.operation} ${call.requestId} of ${call.userId} was refused when the time of every earlier attempt was over, and was carried out later`;
    findings.breach('I12', 'landed-late', text, { attempts: attemptIds(call), places: [place] });
  }
}

/** Who asks again after "done" is not refused. */
export function checkNoLateRefusals(
  findings: Findings,
  calls: readonly Call[],
  history: readonly HistoryRecord[],
  mayLoseFast: boolean,
): void {
  const positions = new Map(history.map((record, index) => [record, index]));
  for (const call of calls) {
    const done = call.oks.reduce<Ok | undefined>((first, ok) => earlier(positions, first, ok), undefined);
    if (done === undefined || (mayLoseFast && done.answer.acknowledgement === 'fast')) continue;
    for (const { invoke, end } of call.attempts) {
      const isLater = (positions.get(invoke) ?? 0) > (positions.get(done) ?? 0);
      if (!isLater || end?.kind !== 'refused' || isOfTheMoment(end.reason)) continue;
      const text = `${call.operation} ${call.requestId} of ${call.userId} was done, and is refused with ${end.reason} when it is asked again`;
      findings.breach('I4', 'refused-after-done', text, { attempts: [done.id, invoke.id] });
    }
  }
}

function earlier(positions: ReadonlyMap<HistoryRecord, number>, first: Ok | undefined, ok: Ok): Ok {
  return first !== undefined && (positions.get(first) ?? 0) < (positions.get(ok) ?? 0) ? first : ok;
}

/** What was refused in every attempt left no trace. */
export function checkRefused(findings: Findings, calls: readonly Call[], books: LogBooks): void {
  for (const call of calls) {
    if (call.outcome !== 'refused') continue;
    findings.count('refusals held to the log');
    const place = effectOf(books, call);
    if (place === undefined || isJoined(calls, call)) continue;
    const reasons = [...new Set(call.refusals.map(({ reason }) => reason))].join(', ');
    const text = `${call.operation} ${call.requestId} of ${call.userId} was refused (${reasons}) and was carried out all the same`;
    findings.breach('I12', 'refused-but-done', text, { attempts: attemptIds(call), places: [place] });
  }
}

/** A code is bound to the first request for it; a later request of the same user goes on with that one. */
function isJoined(calls: readonly Call[], call: Call): boolean {
  if (call.operation !== 'claimCode') return false;
  const others = calls.filter((other) => other.operation === 'claimCode' && other.userId === call.userId);
  return others.some(
    (other) => other !== call && other.outcome !== 'refused' && other.arguments.code === call.arguments.code,
  );
}

/** One coupon came of two requests, or one code made two coupons. */
export function checkOneEach(findings: Findings, calls: readonly Call[], books: LogBooks): void {
  const byCode = Map.groupBy(
    calls.filter(({ operation, arguments: asked }) => operation === 'claimCode' && asked.code !== undefined),
    ({ arguments: asked }) => asked.code ?? '',
  );
  for (const [code, some] of byCode) {
    const coupons = some.flatMap((call) => couponOf(books, call) ?? []);
    if (new Set(coupons.map(({ couponId }) => couponId)).size <= 1) continue;
    const text = `code ${code} became coupons ${coupons.map(({ couponId }) => couponId).join(' and ')}`;
    const places = coupons.map(({ place }) => place);
    findings.breach('I4', 'code-twice', text, { attempts: some.flatMap(attemptIds), places });
  }
}
