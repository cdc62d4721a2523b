import { REASONS, type RefusalReason } from '../domain/refusal.ts';

/** Every reason of a refusal, so that a metric can have all its children from the start. */
export function reasons(): RefusalReason[] {
  return Object.keys(REASONS).filter((name): name is RefusalReason => name in REASONS);
}
