import { writeIdentity } from '../../definitions/write-once.ts';
import {
  type RevokeCouponsRequest,
  RevokeCouponsRequestSchema,
  type RevokeCouponsResponseSchema,
} from '../../gen/hongbao/v1/grant_pb.ts';
import { type RevokedCoupons, revokeCoupons as takeBack } from '../../grants/revoke-coupons.ts';
import type { WorkPorts } from '../../grants/work-recipients.ts';
import type { UnaryHandler } from '../binding.ts';
import { grantJobMessage, grantResultMessage } from '../grant-job-message.ts';
import { writeContext } from './staff-write.ts';

/** Serves RevokeCoupons: a list at once, a whole promotion by the job of the archive role. */
export function revokeCoupons(
  ports: WorkPorts,
): UnaryHandler<typeof RevokeCouponsRequestSchema, typeof RevokeCouponsResponseSchema> {
  return async (request, context) => {
    const { reason, returnStock } = request;
    const identity = writeIdentity(RevokeCouponsRequestSchema, request);
    const revoke = { identity, reason, returnStock, coupons: couponsOf(request) };
    const answer = await takeBack(ports, revoke, writeContext(context));
    return answer.kind === 'job'
      ? { job: grantJobMessage(answer.job) }
      : { results: answer.results.map(grantResultMessage) };
  };
}

function couponsOf({ coupons }: RevokeCouponsRequest): RevokedCoupons {
  if (coupons.case === 'promotionId') return { kind: 'promotion', promotionId: coupons.value };
  return { kind: 'list', coupons: coupons.value?.coupons ?? [] };
}
