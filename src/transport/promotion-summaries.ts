/**
 * What coupons show of their promotions, encoded once per version: the same few summaries are part of nearly every wallet
 * that is read.
 */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { LRUCache } from 'lru-cache';
import { PromotionSummarySchema } from '../gen/hongbao/v1/coupon_service_pb.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import type { PromotionBook } from './promotion-book.ts';

/** Encoded summaries kept, some hundred bytes each. */
const KEPT_SUMMARIES = 10_000;

/** With a ref of 32 bits the keys stay safe integers. */
const VERSIONS_BY_NUMBER = 2 ** 20;

/** Which version of which promotion. */
export interface PromotionVersion {
  readonly promotionRef: number;
  readonly promotionVersion: number;
}

/** Encoded summaries by promotion and version. */
export class PromotionSummaries {
  private readonly book: PromotionBook;
  private readonly kept = new LRUCache<number | string, Uint8Array>({ max: KEPT_SUMMARIES });

  constructor(book: PromotionBook) {
    this.book = book;
  }

  /** The summary as far as it is in memory. */
  inMemory(version: PromotionVersion): Uint8Array | undefined {
    return this.kept.get(keyOf(version));
  }

  /** The summary; without a definition that can be read, it tells the version alone and is not kept. */
  async of(version: PromotionVersion, deadlineMs: number): Promise<Uint8Array> {
    const kept = this.inMemory(version);
    if (kept !== undefined) return kept;
    const { promotionRef, promotionVersion } = version;
    const promotion = await this.book
      .version(promotionRef, promotionVersion, deadlineMs)
      .catch(() => undefined);
    const summary = promotion ? promotionSummary(promotion) : { version: promotionVersion };
    const bytes = toBinary(PromotionSummarySchema, create(PromotionSummarySchema, summary));
    if (promotion !== undefined) this.kept.set(keyOf(version), bytes);
    return bytes;
  }
}

/** A number where the version is one of the first million: making a text costs more than looking it up. */
function keyOf({ promotionRef, promotionVersion }: PromotionVersion): number | string {
  return promotionVersion < VERSIONS_BY_NUMBER
    ? promotionRef * VERSIONS_BY_NUMBER + promotionVersion
    : `${promotionRef}/${promotionVersion}`;
}

function minimumSpend(promotion: Promotion): bigint | undefined {
  const rule = promotion.rules.find(({ kind }) => kind.case === 'minimumSpend');
  return rule?.kind.case === 'minimumSpend' ? rule.kind.value.amountMinor : undefined;
}

/** What a coupon shows of its promotion. */
function promotionSummary(promotion: Promotion): MessageInitShape<typeof PromotionSummarySchema> {
  const minimumSpendMinor = minimumSpend(promotion);
  return {
    promotionId: promotion.promotionId,
    version: promotion.version,
    ...(promotion.name && { name: promotion.name }),
    category: promotion.category,
    currency: promotion.currency,
    ...(promotion.effect && { effect: promotion.effect }),
    ...(minimumSpendMinor !== undefined && { minimumSpendMinor }),
    ...(promotion.conditionTexts && { conditionTexts: promotion.conditionTexts }),
  };
}
