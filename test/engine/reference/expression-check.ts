/**
 * Expressions of the tests, each written out by hand: what it asks, and the facts it cannot do without. Nothing of an
 * expression language is used, so that the language itself is under test too.
 */
import type { Failure } from '../../../src/domain/decision.ts';
import { sum } from './exact-money.ts';
import { wallTime } from './local-time.ts';
import type { RuleView } from './rule-checks.ts';

/** A truth value, or what stands in the way of one. */
type Answer = boolean | { readonly missing: string } | { readonly failed: string };

const MS_PER_DAY = 24 * 60 * 60 * 1000;

const subtotal = ({ cart }: RuleView): bigint => sum(cart.lines.map(({ amount }) => amount));
const unitsIn = ({ cart }: RuleView): number =>
  cart.cart.lines.reduce((units, line) => units + line.quantity, 0);

/** Asks only when the fact is known. */
function known<Fact>(fact: Fact | undefined, missing: string, ask: (fact: Fact) => Answer): Answer {
  return fact === undefined ? { missing } : ask(fact);
}

/** Every expression the tests use. */
export const EXPRESSIONS: Readonly<Record<string, (view: RuleView) => Answer>> = {
  true: () => true,
  'cart.subtotal_minor >= 10000': (view) => subtotal(view) >= 10_000n,
  'cart.units >= 3 && cart.shipping_minor == 0': (view) =>
    unitsIn(view) >= 3 && view.cart.cart.shippingMinor === 0,
  "cart.currency == 'CNY'": ({ cart }) => cart.cart.currency === 'CNY',
  "cart.channel == 'app'": ({ cart }) => known(cart.cart.channel, 'channel', (channel) => channel === 'app'),
  "cart.channel == 'app' || cart.units >= 3": (view) =>
    unitsIn(view) >= 3 || known(view.cart.cart.channel, 'channel', (channel) => channel === 'app'),
  "cart.lines.exists(line, 'duck' in line.category_ids && line.quantity >= 2)": ({ cart }) =>
    cart.cart.lines.some((line) => line.categoryIds.includes('duck') && line.quantity >= 2),
  '!cart.lines.exists(line, line.on_sale)': ({ cart }) => !cart.cart.lines.some((line) => line.isOnSale),
  "'vip' in user.tags": ({ facts }) => known(facts.tags, 'tags', (tags) => tags.has('vip')),
  'user.orders_completed < 3': ({ facts }) =>
    known(facts.ordersCompleted, 'orders_completed', (orders) => orders < 3),
  'user.registered_days < 30': ({ facts, atMs }) =>
    known(facts.registeredAtMs, 'registered_at', (since) => Math.floor((atMs - since) / MS_PER_DAY) < 30),
  "user.level == 'gold'": ({ facts }) => known(facts.level, 'level', (level) => level === 'gold'),
  "user.birthday_month == at.getMonth('Asia/Shanghai') + 1": ({ facts, atMs }) =>
    known(facts.birthday, 'birthday', (birthday) => {
      const month = new Date(atMs + 8 * 60 * 60 * 1000).getUTCMonth() + 1;
      return Number(birthday.split('-')[1]) === month;
    }),
  'user.birthday_month == 3': ({ facts }) =>
    known(facts.birthday, 'birthday', (birthday) => birthday.split('-')[1] === '03'),
  'cart.attributes.table_size >= 4': ({ cart }) =>
    known(cart.cart.attributes.get('table_size'), 'table_size', (size) =>
      typeof size === 'number' ? size >= 4 : { failed: 'a value of another type than the expression needs' },
    ),
  'cart.attributes.table_size': ({ cart }) =>
    known(cart.cart.attributes.get('table_size'), 'table_size', (size) =>
      typeof size === 'boolean' ? size : { failed: 'the result is no bool' },
    ),
  'cart.subtotal_minor / cart.shipping_minor >= 10': (view) => {
    const shipping = BigInt(view.cart.cart.shippingMinor);
    return shipping === 0n ? { failed: 'a division by zero' } : subtotal(view) / shipping >= 10n;
  },
  "at.getHours('Asia/Shanghai') >= 17": ({ atMs }) => wallTime(atMs, 'Asia/Shanghai').minute >= 17 * 60,
};

/** Why an expression does not hold. */
export function checkExpression(expression: string, view: RuleView): Failure | undefined {
  const ask = EXPRESSIONS[expression];
  if (ask === undefined) throw new Error(`write the expression out by hand: ${expression}`);
  const answer = ask(view);
  if (answer === true) return undefined;
  if (answer === false) return { reason: 'EXPRESSION_FALSE' };
  return 'missing' in answer
    ? { reason: 'FACT_MISSING', needed: answer.missing }
    : { reason: 'EXPRESSION_FAILED', seen: answer.failed };
}
