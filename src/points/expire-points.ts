/** Ending the points of one user whose time is over. */
import { expire } from '../domain/points.ts';
import { firstLivingMonth } from '../domain/points-month.ts';
import { accountOf } from '../ledger/transaction.ts';
import { changeSteps, pointsOf } from './account-points.ts';
import { decide } from './decide.ts';
import { countPoints, type PointsPorts } from './points-ports.ts';

/**
 * Ends what is over and answers with how many points that were; 0 when there was nothing as it was read, which promises
 * nothing to anybody. Safe to repeat.
 */
export async function expirePoints(ports: PointsPorts, userId: string, deadlineMs: number): Promise<number> {
  const { ledger, settings } = ports;
  const { expiryMonths, timeZone } = settings;
  if (expiryMonths === 0) return 0;
  return await decide<number>(ports, deadlineMs, async () => {
    const [account = new Map()] = await ledger.read(deadlineMs, (reads) =>
      reads.records([accountOf(userId)]),
    );
    const firstMonth = firstLivingMonth(ledger.nowMs(), expiryMonths, timeZone);
    const change = expire(pointsOf(account), firstMonth);
    if (change === undefined) return { answer: 0 };
    const words = { type: 'expire', reason: '', referenceType: '', referenceId: '' } as const;
    return {
      plan: {
        transaction: {
          event: 'points_expired',
          opensNew: false,
          steps: changeSteps(userId, account, change, words),
        },
        done: () => {
          countPoints(ports, 'expired', -change.points);
          return -change.points;
        },
      },
    };
  });
}
