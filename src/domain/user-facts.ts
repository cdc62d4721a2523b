/**
 * What the shop told about a user: field `f` of the account's record in the ledger, as JSON.
 *
 * Facts arrive late, twice and in any order. Each one carries the moment it was said, and the later statement wins, field
 * by field; so the same statements lead to the same facts in whatever order they come.
 */
import type { AttributeValue, UserFacts } from './cart.ts';
import { CorruptRecordError, encodeRecordJson, RecordFields } from './record-json.ts';
import {
  NO_ORDERS,
  type OrderCount,
  ordersCompletedOf,
  readOrderCount,
  stateOrders,
} from './user-facts-orders.ts';

/** What is stored about a user. A fact that is absent is unknown. Times in ms since the epoch. */
export interface StoredFacts {
  /** Grows with every change, so that a copy never replaces a newer one. */
  readonly revision: number;
  readonly tags?: readonly string[];
  readonly level?: string;
  readonly registeredAtMs?: number;
  /** The day of birth, as YYYY-MM-DD. */
  readonly birthday?: string;
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  readonly ordersCompleted?: number;
  /** What `ordersCompleted` was counted from. */
  readonly orders: OrderCount | undefined;
  /** Who brought the user; the first to be told. */
  readonly inviterUserId?: string;
  /** When each fact was last stated or forgotten, by name; attributes as `a:<name>`. */
  readonly statedAtMs: ReadonlyMap<string, number>;
  /** The last moment at which everything not said was to be forgotten; 0 = never. */
  readonly wholeAtMs: number;
}

/** Facts as told at one moment; each one given replaces what was known by then. */
export interface FactsStatement {
  readonly atMs: number;
  /** Forget what is not given. */
  readonly whole: boolean;
  readonly tags?: readonly string[];
  readonly level?: string;
  readonly registeredAtMs?: number;
  readonly birthday?: string;
  readonly ordersCompleted?: number;
  readonly attributes: ReadonlyMap<string, AttributeValue>;
}

/** Attributes kept about one user; those stated last stay. */
export const MAX_STORED_ATTRIBUTES = 100;

const VERSION = 1;
const ATTRIBUTE_PREFIX = 'a:';

/** Nothing known. */
export const NO_FACTS: StoredFacts = {
  revision: 0,
  attributes: new Map(),
  orders: undefined,
  statedAtMs: new Map(),
  wholeAtMs: 0,
};

/** Facts as values by name, in which merging works: attributes stand beside the others. */
type Values = Map<string, AttributeValue | readonly string[]>;

function valuesOf(facts: Omit<FactsStatement, 'atMs' | 'whole' | 'ordersCompleted'>): Values {
  const values: Values = new Map();
  if (facts.tags !== undefined) values.set('tags', facts.tags);
  if (facts.level !== undefined) values.set('level', facts.level);
  if (facts.registeredAtMs !== undefined) values.set('registeredAtMs', facts.registeredAtMs);
  if (facts.birthday !== undefined) values.set('birthday', facts.birthday);
  for (const [name, value] of facts.attributes) values.set(ATTRIBUTE_PREFIX + name, value);
  return values;
}

/** Of two statements of the same moment one must win whichever comes first. */
function winsTie(value: unknown, over: unknown): boolean {
  return JSON.stringify(value) > (JSON.stringify(over) ?? '');
}

/**
 * The facts after a statement. The same object when nothing changed. The number of completed orders is never forgotten, as
 * the ledger goes on counting it, nor who brought the user.
 */
export function mergeFacts(known: StoredFacts, statement: FactsStatement): StoredFacts {
  const { atMs } = statement;
  const values = valuesOf(known);
  const times = new Map(known.statedAtMs);
  const wholeAtMs = statement.whole ? Math.max(known.wholeAtMs, atMs) : known.wholeAtMs;
  for (const [name, value] of valuesOf(statement)) {
    const before = times.get(name) ?? -1;
    if (atMs < wholeAtMs || atMs < before) continue;
    if (atMs === before && !winsTie(value, values.get(name))) continue;
    values.set(name, value);
    times.set(name, atMs);
  }
  for (const [name, statedAt] of times) {
    if (statedAt >= wholeAtMs) continue;
    values.delete(name);
    times.delete(name);
  }
  dropOldAttributes(values, times);
  const orders = mergedOrders(known, statement);
  return changed(known, factsOf(values, times, { orders, wholeAtMs, inviter: known.inviterUserId }));
}

function mergedOrders({ orders }: StoredFacts, statement: FactsStatement): OrderCount | undefined {
  const { ordersCompleted, atMs } = statement;
  return ordersCompleted === undefined ? orders : stateOrders(orders ?? NO_ORDERS, ordersCompleted, atMs);
}

/** Attributes beyond the limit go, those stated first before others, then by name. */
function dropOldAttributes(values: Values, times: Map<string, number>): void {
  const names = [...times.keys()].filter((name) => name.startsWith(ATTRIBUTE_PREFIX));
  if (names.length <= MAX_STORED_ATTRIBUTES) return;
  const newestFirst = names.toSorted(
    (left, right) => (times.get(right) ?? 0) - (times.get(left) ?? 0) || (left < right ? -1 : 1),
  );
  for (const name of newestFirst.slice(MAX_STORED_ATTRIBUTES)) {
    values.delete(name);
    times.delete(name);
  }
}

interface Rest {
  readonly orders: OrderCount | undefined;
  readonly wholeAtMs: number;
  readonly inviter: string | undefined;
}

function factsOf(values: Values, times: ReadonlyMap<string, number>, rest: Rest): StoredFacts {
  const tags = values.get('tags');
  const [level, registeredAtMs, birthday] = ['level', 'registeredAtMs', 'birthday'].map((name) =>
    values.get(name),
  );
  const ordersCompleted = rest.orders && ordersCompletedOf(rest.orders);
  return {
    revision: 0,
    ...(isTexts(tags) && { tags }),
    ...(typeof level === 'string' && { level }),
    ...(typeof registeredAtMs === 'number' && { registeredAtMs }),
    ...(typeof birthday === 'string' && { birthday }),
    attributes: attributesIn(values),
    ...(ordersCompleted !== undefined && { ordersCompleted }),
    orders: rest.orders,
    ...(rest.inviter !== undefined && { inviterUserId: rest.inviter }),
    statedAtMs: times,
    wholeAtMs: rest.wholeAtMs,
  };
}

function isTexts(value: AttributeValue | readonly string[] | undefined): value is readonly string[] {
  return Array.isArray(value);
}

function attributesIn(values: Values): Map<string, AttributeValue> {
  const attributes = new Map<string, AttributeValue>();
  for (const [name, value] of values) {
    if (name.startsWith(ATTRIBUTE_PREFIX) && !isTexts(value))
      attributes.set(name.slice(ATTRIBUTE_PREFIX.length), value);
  }
  return attributes;
}

/** The new facts under the next revision, or the known ones when they say the same. */
function changed(known: StoredFacts, next: StoredFacts): StoredFacts {
  const numbered = { ...next, revision: known.revision + 1 };
  const same = Buffer.compare(
    encodeUserFacts({ ...numbered, revision: known.revision }),
    encodeUserFacts(known),
  );
  return same === 0 ? known : numbered;
}

/** The facts with another count of orders. */
export function withOrders(facts: StoredFacts, orders: OrderCount): StoredFacts {
  return changed(facts, { ...facts, orders, ordersCompleted: ordersCompletedOf(orders) });
}

/** The facts of a user somebody brought; whoever brought the user first stays. */
export function withInviter(facts: StoredFacts, inviterUserId: string): StoredFacts {
  return changed(facts, { ...facts, inviterUserId: facts.inviterUserId ?? inviterUserId });
}

/** The bytes of field `f`; the same for the same facts. */
export function encodeUserFacts(facts: StoredFacts): Uint8Array {
  const { tags, level, registeredAtMs, birthday, inviterUserId, orders } = facts;
  return encodeRecordJson(VERSION, {
    revision: facts.revision,
    ...(tags !== undefined && { tags }),
    ...(level !== undefined && { level }),
    ...(registeredAtMs !== undefined && { registeredAtMs }),
    ...(birthday !== undefined && { birthday }),
    attributes: sortedEntries(facts.attributes),
    orders: orders === undefined ? [] : [orders],
    ...(inviterUserId !== undefined && { inviterUserId }),
    statedAtMs: sortedEntries(facts.statedAtMs),
    wholeAtMs: facts.wholeAtMs,
  });
}

function sortedEntries<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].toSorted(([left], [right]) => (left < right ? -1 : 1));
}

/** Reads field `f`. Throws {@link CorruptRecordError} when the bytes are no facts. */
export function decodeUserFacts(bytes: Uint8Array): StoredFacts {
  const fields = RecordFields.decode(bytes, VERSION);
  const [orders] = fields.items('orders', readOrderCount);
  return {
    revision: fields.whole('revision'),
    ...(fields.has('tags') && { tags: fields.texts('tags') }),
    ...(fields.has('level') && { level: fields.text('level') }),
    ...(fields.has('registeredAtMs') && { registeredAtMs: fields.whole('registeredAtMs') }),
    ...(fields.has('birthday') && { birthday: fields.text('birthday') }),
    attributes: readEntries(fields, 'attributes', isAttributeValue),
    ...(orders !== undefined && { ordersCompleted: ordersCompletedOf(orders) }),
    orders,
    ...(fields.has('inviterUserId') && { inviterUserId: fields.text('inviterUserId') }),
    statedAtMs: readEntries(fields, 'statedAtMs', (value) => typeof value === 'number'),
    wholeAtMs: fields.whole('wholeAtMs'),
  };
}

function isAttributeValue(value: unknown): value is AttributeValue {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function readEntries<Value>(
  fields: RecordFields,
  name: string,
  isValue: (value: unknown) => value is Value,
): Map<string, Value> {
  return new Map(
    fields.list(name).map((entry) => {
      const [key, value]: unknown[] = Array.isArray(entry) ? entry : [];
      if (typeof key !== 'string' || !isValue(value)) throw new CorruptRecordError(`${name} is malformed`);
      return [key, value] as const;
    }),
  );
}

/** The tags that count in decisions: those stated, and the member level as one more. Undefined when neither is known. */
export function decidingTags({
  tags,
  level,
}: Pick<StoredFacts, 'tags' | 'level'>): readonly string[] | undefined {
  if (level === undefined || level === '') return tags;
  return tags?.includes(level) ? tags : [...(tags ?? []), level];
}

/** The facts as decisions about carts take them; what is unknown is absent. They count the level as a tag themselves. */
export function factsForDecisions(facts: StoredFacts): UserFacts {
  const { tags, level, birthday, registeredAtMs, ordersCompleted, attributes } = facts;
  return {
    ...(tags !== undefined && { tags: new Set(tags) }),
    ...(registeredAtMs !== undefined && { registeredAtMs }),
    ...(ordersCompleted !== undefined && { ordersCompleted }),
    attributes,
    ...(level !== undefined && { level }),
    ...(birthday !== undefined && { birthday }),
  };
}
