/** AwardTestPoints: points out of nothing, in the development set-up only. */
import { Refusal } from '../../domain/refusal.ts';
import type {
  AwardTestPointsRequestSchema,
  AwardTestPointsResponseSchema,
} from '../../gen/hongbao/v1/points_service_pb.ts';
import type { Points } from '../../points/points.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { balanceMessage } from '../points-message.ts';

/** Makes the handler. */
export function awardTestPoints(deps: {
  readonly points: Pick<Points, 'award'>;
  readonly isDevelopment: boolean;
}): UnaryHandler<typeof AwardTestPointsRequestSchema, typeof AwardTestPointsResponseSchema> {
  return async (request, context) => {
    if (!deps.isDevelopment)
      throw new Refusal('NOT_IN_DEVELOPMENT', 'Points are given for tests in development only');
    const userId = userOf(context.identity, request.userId);
    const { requestId, reason } = request;
    const award = { userId, requestId, points: Number(request.points), reason };
    const { balance, isReplay } = await deps.points.award(award, context.deadlineMs);
    return { balance: balanceMessage(balance), replayed: isReplay };
  };
}
