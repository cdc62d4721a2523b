import type { DescMessage, DescOneof } from '@bufbuild/protobuf';
import { type Reach, ReachSchema } from '../gen/hongbao/v1/availability_pb.ts';
import { type Effect, EffectSchema } from '../gen/hongbao/v1/effect_pb.ts';
import { type Promotion, PromotionCategory } from '../gen/hongbao/v1/promotion_pb.ts';

/**
 * The number a filter names a kind by. The contract numbers the members of the `kind` and `way` choices as it numbers the
 * values of their enums (a test holds the two together), so a new kind needs no table here.
 */
function numberOf(schema: DescMessage, choice: string, member: string | undefined): number {
  const oneof: DescOneof | undefined = schema.oneofs.find(({ name }) => name === choice);
  return oneof?.fields.find((field) => field.localName === member)?.number ?? 0;
}

/** The `EffectKind` of an effect; UNSPECIFIED when none is chosen. */
export function effectKind(effect: Effect | undefined): number {
  return numberOf(EffectSchema, 'kind', effect?.kind.case);
}

/** The `ReachKind` of a promotion; UNSPECIFIED when none is chosen. */
export function reachKind(reach: Reach | undefined): number {
  return numberOf(ReachSchema, 'way', reach?.way.case);
}

/** The category, with the default filled in. */
export function categoryOf(promotion: Promotion): number {
  return promotion.category || PromotionCategory.NORMAL;
}
