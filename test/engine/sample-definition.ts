/** A plain promotion to vary in tests: automatic, active, 1.00 off anything, for everyone, always. */
import type { PromotionDefinition } from '../../src/domain/promotion.ts';

/** The plain promotion with these changes. Its id follows its ref. */
export function sampleDefinition(changes: Partial<PromotionDefinition> = {}): PromotionDefinition {
  const ref = changes.ref ?? 1;
  return {
    ref,
    id: `promotion-${ref}`,
    version: 1,
    isActive: true,
    isUseSuspended: false,
    currency: 'CNY',
    priority: 0,
    effect: { kind: 'fixed_amount_off', amountMinor: 100 },
    rules: [],
    reach: { kind: 'automatic' },
    audience: { kind: 'everyone' },
    checkAudienceAtUse: false,
    ...changes,
  };
}
