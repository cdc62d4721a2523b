import { writeIdentity } from '../../definitions/write-once.ts';
import { epochMs } from '../../domain/epoch-ms.ts';
import {
  type GrantCouponsRequest,
  GrantCouponsRequestSchema,
  type GrantCouponsResponseSchema,
  type Segment as SegmentMessage,
} from '../../gen/hongbao/v1/grant_pb.ts';
import { grantCoupons as give, type Recipients } from '../../grants/grant-coupons.ts';
import type { Segment } from '../../grants/store/grant-jobs.ts';
import type { WorkPorts } from '../../grants/work-recipients.ts';
import type { UnaryHandler } from '../binding.ts';
import { grantJobMessage } from '../grant-job-message.ts';
import { writeContext } from './staff-write.ts';

/** Serves GrantCoupons: one user at once, lists and segments by the job of the archive role. */
export function grantCoupons(
  ports: WorkPorts,
): UnaryHandler<typeof GrantCouponsRequestSchema, typeof GrantCouponsResponseSchema> {
  return async (request, context) => {
    const { promotionId, reason, notify } = request;
    const grant = {
      identity: writeIdentity(GrantCouponsRequestSchema, request),
      promotionId,
      reason,
      notify,
      recipients: recipientsOf(request),
      startAtMs: epochMs(request.startAt),
    };
    return { job: grantJobMessage(await give(ports, grant, writeContext(context))) };
  };
}

function recipientsOf({ recipients }: GrantCouponsRequest): Recipients {
  switch (recipients.case) {
    case 'userId':
      return { kind: 'user', userId: recipients.value };
    case 'segment':
      return { kind: 'segment', segment: segmentOf(recipients.value) };
    case 'userList':
      return { kind: 'list', userIds: recipients.value.userIds };
    case undefined:
      // The contract's rules let no such request through.
      return { kind: 'list', userIds: [] };
  }
}

function segmentOf(message: SegmentMessage): Segment {
  const { anyOfTags, anyOfLevels, minOrdersCompleted, maxOrdersCompleted } = message;
  const registeredFromMs = epochMs(message.registeredFrom);
  const registeredUntilMs = epochMs(message.registeredUntil);
  return {
    anyOfTags,
    anyOfLevels,
    ...(registeredFromMs !== undefined && { registeredFromMs }),
    ...(registeredUntilMs !== undefined && { registeredUntilMs }),
    ...(minOrdersCompleted !== undefined && { minOrdersCompleted }),
    ...(maxOrdersCompleted !== undefined && { maxOrdersCompleted }),
  };
}
