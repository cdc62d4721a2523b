/** The single-use codes of an order: taken before the ledger decides, and made to follow the order afterwards. */
import type { Redemption, RedemptionPromotion } from '../domain/redemption.ts';
import { REASONS, Refusal } from '../domain/refusal.ts';
import type { OrderCode } from './code-holds.ts';
import { isConfirmed } from './confirm-order.ts';
import { CODE_HOLD_MARGIN_MS } from './limits.ts';
import { readOrder } from './read-order.ts';
import type { CurrentPromotions, LetGoPorts } from './redemption-ports.ts';

/** What is to become of the codes of an order. A code stays used when its order is returned. */
export type CodeFate = 'held' | 'used' | 'free';

function fateOf(redemption: Redemption | undefined): CodeFate {
  switch (redemption?.state) {
    case 'reserved':
      return 'held';
    case 'committed':
    case 'returned':
      return 'used';
    case 'released':
    case 'expired':
    case undefined:
      return 'free';
  }
}

/** A promotion that is not known any more may have had single-use codes; asking for nothing does no harm. */
function isSingleUse(
  { promotionId }: RedemptionPromotion,
  promotions: CurrentPromotions | undefined,
): boolean {
  const way = promotions?.byId(promotionId)?.reach?.way;
  return !(way?.case === 'code' && way.value.codes.case === 'publicCode');
}

/** The codes of the order that may be single-use ones. */
export function singleUseCodes(
  redemption: Redemption,
  promotions: CurrentPromotions | undefined,
): OrderCode[] {
  return redemption.promotions.flatMap((promotion) => {
    const { code, promotionRef } = promotion;
    return code !== undefined && isSingleUse(promotion, promotions) ? [{ code, promotionRef }] : [];
  });
}

/** An order, as far as its codes go. */
interface OrderWithCodes {
  readonly userId: string;
  readonly orderId: string;
  readonly redemption: Redemption;
}

/**
 * Holds the codes of an order that is about to be written, for as long as it may be reserved. Throws CODE_ALREADY_USED and
 * ARCHIVE_UNAVAILABLE.
 */
export async function holdCodes(
  ports: LetGoPorts,
  { userId, orderId, redemption }: OrderWithCodes,
  deadlineMs: number,
  holdMs: number,
): Promise<void> {
  const codes = singleUseCodes(redemption, ports.promotions);
  if (ports.codes === undefined || codes.length === 0) return;
  const untilMs = deadlineMs + holdMs + CODE_HOLD_MARGIN_MS;
  await ports.codes.hold(codes, userId, orderId, deadlineMs, untilMs);
}

/** Makes the codes of an order follow its state. Repeating it changes nothing. */
export async function settleCodes(
  ports: LetGoPorts,
  { userId, orderId, redemption }: OrderWithCodes,
  deadlineMs: number,
): Promise<void> {
  const { codes, promotions } = ports;
  if (codes === undefined || singleUseCodes(redemption, promotions).length === 0) return;
  const fate = fateOf(redemption);
  if (fate === 'used') await codes.confirm(userId, orderId, deadlineMs);
  else if (fate === 'free') await codes.free(userId, orderId, deadlineMs);
}

/**
 * Frees codes that were held for an attempt which was refused, unless the order holds or has used something by now. When it
 * is not known what became of the attempt nothing is done: the sweep finds out.
 */
export async function freeCodesAfter(
  error: unknown,
  ports: LetGoPorts,
  { userId, orderId }: { readonly userId: string; readonly orderId: string },
  deadlineMs: number,
): Promise<void> {
  if (ports.codes === undefined) return;
  if (!(error instanceof Refusal) || REASONS[error.reason].outcome !== 'noEffect') return;
  try {
    const records = await readOrder(ports.ledger, userId, orderId, deadlineMs);
    if (fateOf(records.redemption) === 'free' && (await isConfirmed(ports.ledger, records, deadlineMs)))
      await ports.codes.free(userId, orderId, deadlineMs);
  } catch {
    // The refusal is the answer whatever becomes of this; the sweep frees what stays held.
  }
}

/** Does what became of the order to codes that were left held, for the sweep. */
export async function settleLeftCodes(
  ports: LetGoPorts,
  userId: string,
  orderId: string,
  deadlineMs: number,
): Promise<CodeFate> {
  const records = await readOrder(ports.ledger, userId, orderId, deadlineMs);
  if (!(await isConfirmed(ports.ledger, records, deadlineMs)))
    return await settleLeftCodes(ports, userId, orderId, deadlineMs);
  const fate = fateOf(records.redemption);
  if (fate === 'used') await ports.codes?.confirm(userId, orderId, deadlineMs);
  else if (fate === 'free') await ports.codes?.free(userId, orderId, deadlineMs);
  return fate;
}
