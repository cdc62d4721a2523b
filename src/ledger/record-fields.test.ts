import { expect, test } from 'vitest';
import {
  ACCOUNT_FIELDS,
  claimCounterField,
  leaseField,
  ORDER_FIELDS,
  PROMOTION_FIELDS,
  poolFields,
  type RecordField,
  SEQUENCE_FIELD,
  spendingField,
  USAGE_FIELDS,
  userUsesField,
  WALLET_FIELDS,
} from './record-fields.ts';

const COUPON_FIELD = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
const { holder, revoked, ...account } = ACCOUNT_FIELDS;

const NAMES: readonly (readonly [string, Readonly<Record<string, RecordField>>, Record<string, string>])[] = [
  ['wallet', WALLET_FIELDS, { erased: 'x', retired: 'z' }],
  ['account', account, { facts: 'f', points: 'p', lastEntry: 't', erased: 'x' }],
  ['order', ORDER_FIELDS, { head: 'h', decision: 'd', points: 'p', note: 'e' }],
  [
    'promotion',
    PROMOTION_FIELDS,
    {
      definition: 'd',
      body: 'body',
      issued: 'issued',
      received: 'received',
      granted: 'granted',
      back: 'back',
      returned: 'returned',
    },
  ],
  ['usage', USAGE_FIELDS, { uses: 'n', money: 'm' }],
];

// LEDGER 7: logs and archives are read at any age.
test.each(NAMES)('the fields of a %s are called what stored records call them', (_record, fields, names) => {
  const found = Object.entries(fields).map(([key, { name, bytes }]) => [key, name, bytes.toString('latin1')]);
  expect(found).toEqual(Object.entries(names).map(([key, name]) => [key, name, name]));
  expect(new Set(Object.values(names)).size).toBe(found.length);
});

test('fields per coupon and per promotion are a mark and what they are about', () => {
  const name = COUPON_FIELD.toString('latin1');
  expect(holder.bytes(COUPON_FIELD).toString('latin1')).toBe(`>${name}`);
  expect(holder.name(name)).toBe(`>${name}`);
  expect(revoked.bytes(COUPON_FIELD).toString('latin1')).toBe(`~${name}`);
  expect(revoked.name(name)).toBe(`~${name}`);
  expect(spendingField(`0123456789ab${COUPON_FIELD.toString('hex')}`).toString('latin1')).toBe(`$${name}`);
  expect(claimCounterField(0x01020304).toString('hex')).toBe('2301020304');
  expect(userUsesField(0x01020304).toString('hex')).toBe('7501020304');
  expect(SEQUENCE_FIELD.name).toBe('@');
});

test('fields of a pool are about the coupons, or about one counter of uses', () => {
  const names = (counter: string): string[] => {
    const { limit, total, granted, back } = poolFields(counter);
    return [limit, total, granted(0), back(63)].map(({ name }) => name);
  };
  expect(names('')).toEqual(['q', 't', 'g0', 'b63']);
  expect(names('d20261122')).toEqual(['d20261122:q', 'd20261122:t', 'd20261122:g0', 'd20261122:b63']);
  expect(leaseField('n').name).toBe('lease:n');
});
