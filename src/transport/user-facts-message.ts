/** Stored facts about a user as callers see them. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { AttributeValue } from '../domain/cart.ts';
import type { StoredFacts } from '../domain/user-facts.ts';
import type { AttributeSchema } from '../gen/hongbao/v1/attribute_pb.ts';
import type { UserFactsSchema } from '../gen/hongbao/v1/user_facts_pb.ts';

/** The message of what is known about a user. */
export function userFactsMessage(facts: StoredFacts): MessageInitShape<typeof UserFactsSchema> {
  const { tags, level, birthday, registeredAtMs, ordersCompleted, attributes } = facts;
  return {
    tags: [...(tags ?? [])],
    ...(registeredAtMs !== undefined && { registeredAt: timestampFromMs(registeredAtMs) }),
    ...(ordersCompleted !== undefined && { ordersCompleted }),
    attributes: [...attributes].map(([name, value]) => attributeMessage(name, value)),
    level: level ?? '',
    birthday: birthday ?? '',
  };
}

function attributeMessage(name: string, value: AttributeValue): MessageInitShape<typeof AttributeSchema> {
  switch (typeof value) {
    case 'string':
      return { name, value: { case: 'text', value } };
    case 'number':
      return { name, value: { case: 'number', value: BigInt(value) } };
    case 'boolean':
      return { name, value: { case: 'flag', value } };
  }
}
