import { stringify } from 'yaml';
import type { PromotionDefinition } from '../../src/domain/promotion.ts';
import type { Situation } from './random-carts.ts';

/** What goes without saying in a printed promotion. */
const USUAL: ReadonlyMap<string, string> = new Map(
  Object.entries({
    isActive: true,
    isUseSuspended: false,
    currency: 'CNY',
    priority: 0,
    rules: [],
    reach: { kind: 'automatic' },
    audience: { kind: 'everyone' },
    checkAudienceAtUse: false,
  }).map(([field, value]) => [field, JSON.stringify(value)]),
);

/** A situation for people: what is usual is left out, maps and sets are written as such. */
export function situationText({ current, older, input }: Situation): string {
  const { atMs, ...rest } = input;
  const text = {
    promotions: current.map(withoutUsual),
    ...(older.length === 0 ? {} : { olderVersions: older.map(withoutUsual) }),
    input: { ...rest, at: new Date(atMs).toISOString() },
  };
  return `\n${stringify(text, (_, value: unknown) => plain(value), { collectionStyle: 'any', lineWidth: 120 })}`;
}

function withoutUsual(definition: PromotionDefinition): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(definition).filter(([field, value]) => USUAL.get(field) !== JSON.stringify(value)),
  );
}

function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  return value instanceof Set ? [...value] : value;
}
