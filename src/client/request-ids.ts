/** The id that makes a write repeatable: one per call, chosen here when the caller chose none, the same for every attempt. */
import { clone, type DescField, type DescMessage, type Message } from '@bufbuild/protobuf';
import { isReflectMessage, type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';

/** Names by which messages of the contract are repeatable. An event's id is the shop's to choose. */
const FIELD = 'request_id';
const CALLERS_FIELDS = ['event_id'];

/** A request in which every id is set, and the id of the call itself; undefined when the message has none of its own. */
export interface Identified<T extends Message> {
  readonly request: T;
  readonly requestId: string | undefined;
}

/**
 * Sets the ids that are missing, in the message and in the items of its lists. The caller's message stays as it is: it may be
 * used for another call.
 */
export function withRequestIds<T extends Message>(
  schema: DescMessage,
  request: T,
  newId: () => string,
): Identified<T> {
  if (missing(reflect(schema, request)).length === 0) return { request, requestId: idOf(schema, request) };
  const copy = clone(schema, request) as T;
  for (const [message, field] of missing(reflect(schema, copy))) message.set(field, newId());
  return { request: copy, requestId: idOf(schema, copy) };
}

/** Whether a repeat of the message is known for what it is. */
export function isRepeatable(schema: DescMessage): boolean {
  const names = [FIELD, ...CALLERS_FIELDS];
  return [schema, ...schema.fields.flatMap((field) => itemOf(field) ?? [])].some((message) =>
    message.fields.some((field) => names.includes(field.name)),
  );
}

/** Every empty id: the message's own, and those of messages in its lists. */
function missing(message: ReflectMessage): [ReflectMessage, DescField][] {
  const own = message.desc.fields.filter((field) => field.name === FIELD && message.get(field) === '');
  const lists = message.desc.fields.filter((field) =>
    itemOf(field)?.fields.some(({ name }) => name === FIELD),
  );
  return [
    ...own.map((field): [ReflectMessage, DescField] => [message, field]),
    ...lists.flatMap((field) => itemsOf(message, field).flatMap(missing)),
  ];
}

function itemsOf(message: ReflectMessage, field: DescField): ReflectMessage[] {
  if (field.fieldKind !== 'list' || field.listKind !== 'message') return [];
  return [...message.get(field)].filter((item) => isReflectMessage(item));
}

/** The message type of a list's items. */
function itemOf(field: DescField): DescMessage | undefined {
  return field.fieldKind === 'list' && field.listKind === 'message' ? field.message : undefined;
}

function idOf(schema: DescMessage, request: Message): string | undefined {
  const field = schema.fields.find(({ name }) => [FIELD, ...CALLERS_FIELDS].includes(name));
  return field === undefined ? undefined : String(reflect(schema, request).get(field));
}
