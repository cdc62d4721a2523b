/** GetBalance: the points of a user, from the live account, so that every acknowledged change is in it. */
import type {
  GetBalanceRequestSchema,
  GetBalanceResponseSchema,
} from '../../gen/hongbao/v1/points_service_pb.ts';
import type { Points } from '../../points/points.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { balanceMessage } from '../points-message.ts';

/** Makes the handler. */
export function getBalance(deps: {
  readonly points: Pick<Points, 'balance'>;
}): UnaryHandler<typeof GetBalanceRequestSchema, typeof GetBalanceResponseSchema> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    return { balance: balanceMessage(await deps.points.balance(userId, context.deadlineMs)) };
  };
}
