/** ClaimCode: a code into the wallet, with an eye on who guesses. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ClaimedByCode } from '../../codes/claim-code.ts';
import type { Codes } from '../../codes/codes.ts';
import type { Guesser } from '../../codes/guess-guard.ts';
import { mayAssertFacts } from '../../domain/identity.ts';
import { Refusal, type RefusalReason } from '../../domain/refusal.ts';
import type {
  ClaimCodeRequestSchema,
  ClaimCodeResponseSchema,
} from '../../gen/hongbao/v1/coupon_service_pb.ts';
import type { ClaimOutcome } from '../../telemetry/ledger-metrics.ts';
import type { Counter, Family } from '../../telemetry/metric.ts';
import { type AcknowledgePorts, acknowledge } from '../acknowledge.ts';
import { asRefusal } from '../as-refusal.ts';
import type { UnaryHandler } from '../binding.ts';
import { claimFacts } from '../claim-facts.ts';
import { answerDeadline, userOf } from '../claim-intake.ts';
import type { PromotionBook } from '../promotion-book.ts';

/** What the handler needs. */
export interface ClaimCodeDependencies extends AcknowledgePorts {
  readonly codes: Pick<Codes, 'claims' | 'guesses'>;
  readonly codeClaims: Family<Counter, readonly [ClaimOutcome]>;
  readonly book: Pick<PromotionBook, 'version'>;
}

/** Refusals that a guess ends with. */
const WRONG: ReadonlySet<RefusalReason> = new Set(['CODE_NOT_FOUND', 'CODE_ALREADY_USED']);

/** Makes the handler. */
export function claimCode(
  deps: ClaimCodeDependencies,
): UnaryHandler<typeof ClaimCodeRequestSchema, typeof ClaimCodeResponseSchema> {
  return async (request, context) => {
    const { identity } = context;
    const guesser = { caller: identity.actor, userId: userOf(identity, request.userId) };
    const facts = mayAssertFacts(identity) ? claimFacts(request.facts) : undefined;
    const { code, requestId } = request;
    const deadlineMs = answerDeadline(context);
    const claim = { code, requestId, userId: guesser.userId, facts };
    const coupon = await counted(deps, guesser, async () => {
      await deps.codes.guesses.admit(guesser);
      return await deps.codes.claims.claim(claim, deadlineMs);
    });
    const promotion = await deps.book.version(coupon.promotionRef, coupon.promotionVersion, deadlineMs);
    return {
      couponId: coupon.couponId,
      promotionId: promotion?.promotionId ?? '',
      promotionVersion: coupon.promotionVersion,
      replayed: coupon.isReplay,
      acknowledgement: await acknowledge(deps, promotion, coupon.couponId, deadlineMs),
      issuedAt: timestampFromMs(coupon.issuedAtMs),
      validFrom: timestampFromMs(coupon.validFromMs),
      ...(coupon.expiresAtMs !== undefined && { expiresAt: timestampFromMs(coupon.expiresAtMs) }),
    };
  };
}

/** Counts how the claim ended, and notes wrong codes before the caller hears of them. */
async function counted(
  deps: ClaimCodeDependencies,
  guesser: Guesser,
  claim: () => Promise<ClaimedByCode>,
): Promise<ClaimedByCode> {
  try {
    const coupon = await claim();
    deps.codeClaims.child(coupon.isReplay ? 'replayed' : 'claimed').value += 1;
    return coupon;
  } catch (error) {
    const refusal = asRefusal(error, 'The code could not be taken');
    deps.codeClaims.child(refusal.reason).value += 1;
    if (error instanceof Refusal && WRONG.has(error.reason)) await deps.codes.guesses.noteWrong(guesser);
    throw error;
  }
}
