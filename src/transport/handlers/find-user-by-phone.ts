/** FindUserByPhone: which user has exactly this number; for the front desk. */
import { Refusal } from '../../domain/refusal.ts';
import type {
  FindUserByPhoneRequestSchema,
  FindUserByPhoneResponseSchema,
} from '../../gen/hongbao/v1/privacy_service_pb.ts';
import type { Profiles } from '../../privacy/profiles.ts';
import type { UnaryHandler } from '../binding.ts';

/** Makes the handler. */
export function findUserByPhone({
  profiles,
}: {
  readonly profiles: Profiles;
}): UnaryHandler<typeof FindUserByPhoneRequestSchema, typeof FindUserByPhoneResponseSchema> {
  return async ({ phone }, { deadlineMs }) => {
    const userId = await profiles.findByPhone(phone, deadlineMs);
    if (userId === undefined) throw new Refusal('USER_NOT_FOUND', 'No user has this number');
    return { userId };
  };
}
