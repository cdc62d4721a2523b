import { fromBinary } from '@bufbuild/protobuf';
import { type Promotion, PromotionSchema } from '../../gen/hongbao/v1/promotion_pb.ts';

/** One version of a promotion as Postgres holds it. */
export interface StoredPromotion {
  readonly promotion: Promotion;
  /** The binary form, exactly as stored and as delivered to the ledger. */
  readonly body: Uint8Array;
}

/** What a statement selects to make a {@link StoredPromotion}. */
export interface BodyRow {
  readonly body: Buffer;
}

/** Parses a stored body; what this service has written is trusted. */
export function storedPromotion({ body }: BodyRow): StoredPromotion {
  return { promotion: fromBinary(PromotionSchema, body), body };
}
