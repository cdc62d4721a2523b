/** EraseUser: makes everything about a user unreadable, for ever. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type {
  EraseUserRequestSchema,
  EraseUserResponseSchema,
} from '../../gen/hongbao/v1/privacy_service_pb.ts';
import { type ErasurePorts, eraseUser as erase } from '../../privacy/erasures.ts';
import type { UnaryHandler } from '../binding.ts';

/** Makes the handler. */
export function eraseUser({
  erasures,
}: {
  readonly erasures: ErasurePorts;
}): UnaryHandler<typeof EraseUserRequestSchema, typeof EraseUserResponseSchema> {
  return async ({ userId, requestId, reason }, { identity, deadlineMs }) => {
    const order = { userId, requestId, reason, actor: identity.actor };
    const { erasedAtMs, isReplay } = await erase(erasures, order, deadlineMs);
    return { erasedAt: timestampFromMs(erasedAtMs), replayed: isReplay };
  };
}
