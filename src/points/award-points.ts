/** Points out of nothing, for tests; whoever calls has made sure that this is no production. */
import { earn } from '../domain/points.ts';
import { pointsMonthAt } from '../domain/points-month.ts';
import { encodeRecordJson, RecordFields } from '../domain/record-json.ts';
import { Refusal } from '../domain/refusal.ts';
import { requireUser, sameErasure, userExists } from '../ledger/erased-user.ts';
import { unchanged } from '../ledger/held-fields.ts';
import { accountOf } from '../ledger/transaction.ts';
import { changeSteps, pointsOf, type RecordMap } from './account-points.ts';
import { type Decision, decide } from './decide.ts';
import { balanceOf, type PointsBalance } from './points-balance.ts';
import { countPoints, type PointsPorts } from './points-ports.ts';

/** A test award. */
export interface AwardRequest {
  readonly userId: string;
  /** The same request is the same award. */
  readonly requestId: string;
  readonly points: number;
  readonly reason: string;
}

/** The balance after an award. */
export interface Awarded {
  readonly balance: PointsBalance;
  readonly isReplay: boolean;
}

const VERSION = 1;

/**
 * Gives points, once per request id. Throws REQUEST_ID_REUSED when the id gave another number of points, USER_NOT_FOUND for
 * an erased user, and what `ledger.transact` throws.
 */
export async function awardPoints(
  ports: PointsPorts,
  request: AwardRequest,
  deadlineMs: number,
): Promise<Awarded> {
  const names = [accountOf(request.userId)];
  return await decide<Awarded>(ports, deadlineMs, async (seen) => {
    const [account = new Map()] = await ports.ledger.read(deadlineMs, (reads) => reads.records(names));
    const on = accountOf(request.userId);
    seen.push(unchanged(on, awardField(request), account), sameErasure(request.userId, account));
    const before = account.get(awardField(request).toString('latin1'));
    if (before !== undefined) return { answer: awardedBefore(ports, request, account, before) };
    requireUser(account);
    return awarding(ports, request, account);
  });
}

function awardField({ requestId }: AwardRequest): Buffer {
  return Buffer.from(`w:${requestId}`);
}

function awardedBefore(
  { settings, ledger }: PointsPorts,
  { points }: AwardRequest,
  account: RecordMap,
  value: Buffer,
): Awarded {
  if (RecordFields.decode(value, VERSION).whole('points') !== points)
    throw new Refusal('REQUEST_ID_REUSED', 'The request id was used for another award');
  return { balance: balanceOf(pointsOf(account), settings, ledger.nowMs()), isReplay: true };
}

function awarding(ports: PointsPorts, request: AwardRequest, account: RecordMap): Decision<Awarded> {
  const { userId, requestId, points, reason } = request;
  const on = accountOf(userId);
  const field = awardField(request);
  const { settings } = ports;
  const { month, fromMs, toMs } = pointsMonthAt(ports.ledger.nowMs(), settings.timeZone);
  const change = earn(pointsOf(account), points, month);
  const words = { type: 'award', reason, referenceType: 'test', referenceId: requestId } as const;
  const mark = Buffer.from(encodeRecordJson(VERSION, { points }));
  return {
    plan: {
      transaction: {
        event: 'points_awarded',
        opensNew: true,
        steps: [
          { kind: 'absent', on, field },
          userExists(userId),
          { kind: 'within', fromMs, toMs },
          { kind: 'set', on, field, value: mark },
          ...changeSteps(userId, account, change, words),
        ],
      },
      done: (nowMs) => {
        countPoints(ports, 'awarded', points);
        return { balance: balanceOf(change.state, settings, nowMs), isReplay: false };
      },
    },
  };
}
