import type { AttributeValue, UserFacts } from '../domain/cart.ts';

/** Attributes a decision looks at; as many as a request may state, so that every decision can be asked for again. */
const MOST_ATTRIBUTES = 100;

/**
 * What a decision takes for granted about the user: what the caller states, and what is kept for the rest, fact by fact and
 * attribute by attribute. No tags and an empty text are as good as unknown, as they are in a request.
 */
export function factsUsed(stated: UserFacts, kept: UserFacts): UserFacts {
  if (Object.keys(kept).length === 0) return stated;
  const tags = stated.tags ?? kept.tags;
  const level = stated.level ?? kept.level;
  const birthday = stated.birthday ?? kept.birthday;
  const registeredAtMs = stated.registeredAtMs ?? kept.registeredAtMs;
  const ordersCompleted = stated.ordersCompleted ?? kept.ordersCompleted;
  const attributes = attributesUsed(stated.attributes, kept.attributes);
  return {
    ...(tags !== undefined && tags.size > 0 && { tags }),
    ...(registeredAtMs !== undefined && { registeredAtMs }),
    ...(ordersCompleted !== undefined && { ordersCompleted }),
    ...(attributes !== undefined && attributes.size > 0 && { attributes }),
    ...(level !== undefined && level !== '' && { level }),
    ...(birthday !== undefined && birthday !== '' && { birthday }),
  };
}

type Attributes = ReadonlyMap<string, AttributeValue>;

function attributesUsed(
  stated: Attributes | undefined,
  kept: Attributes | undefined,
): Attributes | undefined {
  if (stated === undefined || kept === undefined) return stated ?? kept;
  const used = new Map(stated);
  for (const [name, value] of [...kept].sort(([left], [right]) => (left < right ? -1 : 1))) {
    if (used.size < MOST_ATTRIBUTES && !used.has(name)) used.set(name, value);
  }
  return used;
}
