import { create } from '@bufbuild/protobuf';
import { type ConditionTexts, ConditionTextsSchema, type Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import { audienceTexts } from './texts/audience-text.ts';
import { ruleText } from './texts/rule-text.ts';
import type { Text } from './texts/text.ts';

const NO_THRESHOLD: Text = { en: 'No minimum spend', zh: '无门槛' };

/** The conditions of a promotion as people read them, one phrase each, in the order in which staff wrote them. */
export function conditionTexts(promotion: Promotion): ConditionTexts {
  const phrases = [
    promotion.effect?.kind.case === 'noThresholdVoucher' ? NO_THRESHOLD : undefined,
    ...promotion.rules.map((rule) => ruleText(rule, promotion.currency)),
    ...audienceTexts(promotion),
  ].filter((phrase) => phrase !== undefined);
  return create(ConditionTextsSchema, {
    en: phrases.map(({ en }) => en).filter(Boolean),
    zh: phrases.map(({ zh }) => zh).filter(Boolean),
  });
}
