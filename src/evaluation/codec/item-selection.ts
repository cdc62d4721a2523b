import type { ItemSelection } from '../../domain/promotion.ts';
import type { ItemSelection as Message } from '../../gen/hongbao/v1/effect_pb.ts';

/** Items and categories in plain types. */
export function itemSelection({ itemIds, categoryIds }: Message): ItemSelection {
  return { itemIds, categoryIds };
}
