/** ListTransactions: how a user's points came and went, newest first. */
import type { PointsEntry } from '../../domain/points-entry.ts';
import type {
  ListTransactionsRequestSchema,
  ListTransactionsResponseSchema,
} from '../../gen/hongbao/v1/points_service_pb.ts';
import { type PointsHistory, pointsHistoryPage } from '../../points/points-history.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { POINTS_TYPES, transactionMessage } from '../points-message.ts';
import { numbersOfPageToken, tokenAfterNumbers } from './staff-page.ts';

const DEFAULT_PAGE_SIZE = 20;

/** Makes the handler. */
export function listTransactions(deps: {
  readonly pointsHistory: PointsHistory;
}): UnaryHandler<typeof ListTransactionsRequestSchema, typeof ListTransactionsResponseSchema> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const types = new Set(request.types);
    const query = { method: 'points', userId, types: [...types].sort().join(',') };
    const [below] = numbersOfPageToken(request.pageToken, query) ?? [];
    const { entries, hasMore } = await pointsHistoryPage(
      deps.pointsHistory,
      {
        userId,
        below,
        size: request.pageSize || DEFAULT_PAGE_SIZE,
        isWanted: ({ type }: PointsEntry) => types.size === 0 || types.has(POINTS_TYPES[type]),
      },
      context.deadlineMs,
    );
    const last = hasMore ? entries.at(-1) : undefined;
    return {
      transactions: entries.map(transactionMessage),
      nextPageToken: tokenAfterNumbers(last && [last.number], query),
    };
  };
}
