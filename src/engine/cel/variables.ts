import { type CelInput, type CelMap, celList, celMap } from '@bufbuild/cel';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { AttributeValue, CartLine, UserFacts } from '../../domain/cart.ts';
import { MS_PER_DAY } from '../../domain/durations.ts';
import type { PreparedCart } from '../prepared-cart.ts';
import { ReadingMap } from './reading-map.ts';
import { BOOL, type CollectionSizes, DYN, INT, STRING, TIMESTAMP, type ValueType } from './value-types.ts';

/** Takes the name of a fact that was asked for and is not known. */
type NoteMissing = (name: string) => void;

/** One field an expression may read: its type, and how it is found; undefined when the fact is not known. */
interface Field<Source> {
  readonly type: ValueType;
  read(source: Source, noteMissing: NoteMissing): CelInput | undefined;
}

type FieldTable<Source> = ReadonlyMap<string, Field<Source>>;

const ATTRIBUTES: ValueType = { kind: 'map', value: DYN, size: ({ attributes }) => attributes };

const LINE_FIELDS = fieldTable<CartLine>({
  item_id: { type: STRING, read: ({ itemId }) => itemId },
  category_ids: {
    type: { kind: 'list', element: STRING, size: ({ categories }) => categories },
    read: ({ categoryIds }) => celList(categoryIds),
  },
  quantity: { type: INT, read: ({ quantity }) => BigInt(quantity) },
  unit_price_minor: { type: INT, read: ({ unitPriceMinor }) => BigInt(unitPriceMinor) },
  amount_minor: { type: INT, read: (line) => BigInt(line.unitPriceMinor * line.quantity) },
  on_sale: { type: BOOL, read: ({ isOnSale }) => isOnSale },
});

const LINE = recordOf('line', LINE_FIELDS);

const CART_FIELDS = fieldTable<PreparedCart>({
  subtotal_minor: { type: INT, read: ({ subtotalMinor }) => BigInt(subtotalMinor) },
  units: { type: INT, read: ({ units }) => BigInt(units) },
  currency: { type: STRING, read: ({ cart }) => cart.currency },
  shipping_minor: { type: INT, read: ({ cart }) => BigInt(cart.shippingMinor) },
  channel: { type: STRING, read: ({ cart }) => cart.channel },
  region: { type: STRING, read: ({ cart }) => cart.region },
  payment_method: { type: STRING, read: ({ cart }) => cart.paymentMethod },
  lines: {
    type: { kind: 'list', element: LINE, size: ({ lines }) => lines },
    read: ({ lines }) => celList(lines.map(lineView)),
  },
  attributes: {
    type: ATTRIBUTES,
    read: ({ cart }, noteMissing) => attributeView(cart.attributes, noteMissing),
  },
});

/** Unknown attributes are missing one by one, so that an answer names the one that was asked for. */
const NO_ATTRIBUTES: ReadonlyMap<string, AttributeValue> = new Map();

/** Where the month stands in YYYY-MM-DD. */
const MONTH_OF_DATE = [5, 7] as const;

/** The user at a moment. */
interface UserAt {
  readonly facts: UserFacts;
  readonly atMs: number;
}

const USER_FIELDS = fieldTable<UserAt>({
  tags: {
    type: { kind: 'list', element: STRING, size: ({ tags }) => tags },
    read: ({ facts }) => facts.tags && celList([...facts.tags]),
  },
  orders_completed: { type: INT, read: ({ facts }) => whole(facts.ordersCompleted) },
  registered_days: {
    type: INT,
    read: ({ facts: { registeredAtMs }, atMs }) =>
      registeredAtMs === undefined ? undefined : whole(Math.floor((atMs - registeredAtMs) / MS_PER_DAY)),
  },
  level: { type: STRING, read: ({ facts }) => facts.level },
  birthday_month: {
    type: INT,
    read: ({ facts: { birthday } }) =>
      birthday === undefined ? undefined : BigInt(birthday.slice(...MONTH_OF_DATE)),
  },
  attributes: {
    type: ATTRIBUTES,
    read: ({ facts }, noteMissing) => attributeView(facts.attributes ?? NO_ATTRIBUTES, noteMissing),
  },
});

/** The names an expression may use, with their types. */
export const VARIABLE_TYPES: ReadonlyMap<string, ValueType> = new Map([
  ['cart', recordOf('cart', CART_FIELDS)],
  ['user', recordOf('user', USER_FIELDS)],
  ['at', TIMESTAMP],
]);

/** What a caller gives for a field that is computed from it. */
const FACT_NAMES: ReadonlyMap<string, string> = new Map([
  ['registered_days', 'registered_at'],
  ['birthday_month', 'birthday'],
]);

/** The values of the names in one evaluation. */
export interface Variables {
  readonly values: { readonly cart: CelInput; readonly user: CelInput; readonly at: CelInput };
  readonly sizes: CollectionSizes;
  /** Facts that were asked for and are not known, by the name of the field, each with what the caller calls it. */
  readonly missing: ReadonlyMap<string, string>;
}

/** Lays cart, user and moment out for expressions; a field is converted when it is first read. */
export function variablesOf(cart: PreparedCart, facts: UserFacts, atMs: number): Variables {
  const missing = new Map<string, string>();
  const noteMissing = (name: string): void => void missing.set(name, FACT_NAMES.get(name) ?? name);
  return {
    values: {
      cart: rememberingView(CART_FIELDS, cart, noteMissing),
      user: rememberingView(USER_FIELDS, { facts, atMs }, noteMissing),
      at: timestampFromMs(atMs),
    },
    sizes: sizesOf(cart, facts),
    missing,
  };
}

function fieldTable<Source>(fields: Readonly<Record<string, Field<Source>>>): FieldTable<Source> {
  return new Map(Object.entries(fields));
}

function recordOf(name: string, fields: ReadonlyMap<string, { readonly type: ValueType }>): ValueType {
  return { kind: 'record', name, fields: new Map([...fields].map(([field, { type }]) => [field, type])) };
}

function whole(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value);
}

/** Nothing is remembered: there may be thousands of lines, and each field is mostly read once. */
function lineView(line: CartLine): CelMap {
  return celMap(new ReadingMap(LINE_FIELDS, (name) => LINE_FIELDS.get(name)?.read(line, () => {})));
}

function rememberingView<Source>(
  fields: FieldTable<Source>,
  source: Source,
  noteMissing: NoteMissing,
): CelMap {
  const read = new Map<string, CelInput>();
  return celMap(
    new ReadingMap(fields, (name) => {
      const value = read.get(name) ?? fields.get(name)?.read(source, noteMissing);
      if (value === undefined) noteMissing(name);
      else read.set(name, value);
      return value;
    }),
  );
}

function attributeView(attributes: ReadonlyMap<string, AttributeValue>, noteMissing: NoteMissing): CelMap {
  return celMap(
    new ReadingMap(attributes, (name) => {
      const value = attributes.get(name);
      if (value === undefined) noteMissing(name);
      return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
    }),
  );
}

function sizesOf({ lines, categoryStarts, cart }: PreparedCart, facts: UserFacts): CollectionSizes {
  let categories = 0;
  for (let place = 0; place < lines.length; place += 1) {
    categories = Math.max(categories, (categoryStarts[place + 1] ?? 0) - (categoryStarts[place] ?? 0));
  }
  const attributes = Math.max(cart.attributes.size, facts.attributes?.size ?? 0);
  return { lines: lines.length, categories, tags: facts.tags?.size ?? 0, attributes };
}
