/** Facts of a message as a statement. */
import type { AttributeValue } from '../domain/cart.ts';
import { epochMs } from '../domain/epoch-ms.ts';
import type { FactsStatement } from '../domain/user-facts.ts';
import type { UserFacts } from '../gen/hongbao/v1/user_facts_pb.ts';

/** What a message says at one moment, in ms since the epoch; what it leaves empty it does not say. */
export function factsStatement(facts: UserFacts | undefined, atMs: number, whole = false): FactsStatement {
  if (facts === undefined) return { atMs, whole, attributes: new Map() };
  const { tags, level, birthday, ordersCompleted } = facts;
  const registeredAtMs = epochMs(facts.registeredAt);
  return {
    atMs,
    whole,
    ...(tags.length > 0 && { tags: tags.toSorted() }),
    ...(level !== '' && { level }),
    ...(birthday !== '' && { birthday }),
    ...(registeredAtMs !== undefined && { registeredAtMs }),
    ...(ordersCompleted !== undefined && { ordersCompleted }),
    attributes: attributesOf(facts),
  };
}

function attributesOf({ attributes }: UserFacts): Map<string, AttributeValue> {
  const values = new Map<string, AttributeValue>();
  for (const { name, value } of attributes) {
    if (value.case === undefined) continue;
    values.set(name, value.case === 'number' ? Number(value.value) : value.value);
  }
  return values;
}
