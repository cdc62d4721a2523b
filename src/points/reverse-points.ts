/** Taking points back on their own, where nothing else of the order changes: a refund the shop only tells of. */
import { sameErasure } from '../ledger/erased-user.ts';
import { unchanged } from '../ledger/held-fields.ts';
import { ORDER_FIELDS } from '../ledger/record-fields.ts';
import { accountOf, orderOf } from '../ledger/transaction.ts';
import { decide } from './decide.ts';
import { type PointsReversalRequest, planPointsReversal } from './plan-reversal.ts';
import { countPoints, type PointsPorts } from './points-ports.ts';

/** A refund, as far as points are concerned. */
export type ReverseRequest = Omit<PointsReversalRequest, 'account' | 'order'>;

/** What was taken back. */
export interface Reversed {
  /** Points taken from what the user could spend. */
  readonly points: number;
  /** Points that had been spent and are owed now. */
  readonly debt: number;
}

/**
 * Takes back what the order earned beyond what remains paid; nothing when that was done before. Throws what
 * `ledger.transact` throws; asking again is safe.
 */
export async function reversePoints(
  ports: PointsPorts,
  request: ReverseRequest,
  deadlineMs: number,
): Promise<Reversed> {
  const { userId } = request;
  const on = orderOf(userId, request.orderId);
  const names = [accountOf(userId), on];
  return await decide<Reversed>(ports, deadlineMs, async (seen) => {
    const records = await ports.ledger.read(deadlineMs, (reads) => reads.records(names));
    const [account = new Map(), order = new Map()] = records;
    seen.push(unchanged(on, ORDER_FIELDS.points.bytes, order), sameErasure(userId, account));
    const { steps, points, debt } = planPointsReversal({ ...request, account, order });
    const answer = { points, debt };
    if (points + debt === 0) return { answer };
    return {
      plan: {
        transaction: { event: 'points_reversed', opensNew: false, steps },
        done: () => {
          countPoints(ports, 'reversed', points);
          countPoints(ports, 'owed', debt);
          return answer;
        },
      },
    };
  });
}
