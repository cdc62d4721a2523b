/** BatchClaimCoupons: up to 1,000 claims in one message, a result for each. */
import {
  decodeBatchClaimCouponsRequest,
  violationsOfBatchClaimCouponsRequest,
} from '../../gen/hot/claim-requests.ts';
import { encodeBatchClaimCouponsResponse } from '../../gen/hot/claim-responses.ts';
import type { HotHandler } from '../binding.ts';
import type { ClaimIntake } from '../claim-intake.ts';
import { claimItems } from '../claim-items.ts';
import { checkedRequest } from '../hot-request.ts';

const CODEC = { decode: decodeBatchClaimCouponsRequest, violationsOf: violationsOfBatchClaimCouponsRequest };

/** Makes the handler. */
export function batchClaimCoupons(intake: ClaimIntake): HotHandler {
  return (bytes, context, reply) => {
    const { items } = checkedRequest(CODEC, bytes);
    claimItems(intake, items, context, (results) => reply(encodeBatchClaimCouponsResponse({ results })));
  };
}
