import type { Sql } from '../database/client.ts';
import { readPromotion } from '../definitions/store/read-promotions.ts';
import { promotionWithoutCodes } from './code-refusals.ts';

/** A promotion with single-use codes. */
export interface SingleUsePromotion {
  readonly ref: number;
  /** What generated codes begin with. */
  readonly prefix: string;
}

/** The promotion, if it has single-use codes. Throws PROMOTION_NOT_FOUND or PROMOTION_WITHOUT_CODES. */
export async function requireSingleUse(
  sql: Sql,
  promotionId: string,
  deadlineMs: number,
): Promise<SingleUsePromotion> {
  const { promotion } = await readPromotion(sql, promotionId, deadlineMs);
  const { reach, ref } = promotion;
  const codes = reach?.way.case === 'code' ? reach.way.value.codes : undefined;
  if (codes?.case !== 'singleUseCodes') throw promotionWithoutCodes();
  return { ref, prefix: codes.value.prefix };
}
