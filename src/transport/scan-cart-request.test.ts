import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  EvaluateCartRequestSchema,
  ListUsableCouponsRequestSchema,
  ValidateCouponRequestSchema,
} from '../gen/hongbao/v1/cart_service_pb.ts';
import { scanEvaluateCart, scanListUsableCoupons, scanValidateCoupon } from './scan-cart-request.ts';

const cart = { currency: 'CNY', lines: [{ lineId: '1', itemId: 'tea', quantity: 1 }] };

test('what is scanned is what the message says, whatever else it holds', () => {
  const request = fc.record({
    userId: fc.string({ unit: 'grapheme', maxLength: 10 }),
    useWallet: fc.boolean(),
    codes: fc.array(fc.string({ maxLength: 5 }), { maxLength: 4 }),
    ruleSetVersion: fc.option(fc.maxSafeNat().map(BigInt), { nil: undefined }),
    held: fc.nat(2),
    selected: fc.option(fc.array(fc.string({ maxLength: 5 }), { maxLength: 2 }), { nil: undefined }),
    limits: fc.nat(1),
  });
  fc.assert(
    fc.property(request, ({ userId, useWallet, codes, ruleSetVersion, held, selected, limits }) => {
      const heldCoupons = Array.from({ length: held }, () => ({ couponId: 'c' }));
      const version = ruleSetVersion === undefined ? {} : { ruleSetVersion };
      const own = selected && { selection: { couponIds: ['k'], codes: selected } };
      const liveLimits = Array.from({ length: limits }, () => ({ promotionRef: 1 }));
      const fields = { userId, useWallet, codes, heldCoupons, ...version, cart, liveLimits, ...own };
      const message = create(EvaluateCartRequestSchema, fields);
      expect(scanEvaluateCart(toBinary(EvaluateCartRequestSchema, message))).toEqual({
        userId,
        usesWallet: useWallet,
        codes: [...codes, ...(selected ?? [])],
        ruleSetVersion: Number(ruleSetVersion ?? 0n),
        bringsWallet: held > 0,
        bringsLive: limits > 0,
      });
    }),
  );
});

test('the fields may come in any order, and the last of two counts', () => {
  const bytes = (fields: Parameters<typeof create<typeof EvaluateCartRequestSchema>>[1]) =>
    toBinary(EvaluateCartRequestSchema, create(EvaluateCartRequestSchema, fields));
  const parts = [bytes({ cart }), bytes({ userId: 'ann', useWallet: true }), bytes({ userId: 'bob' })];
  expect(scanEvaluateCart(Buffer.concat(parts))).toMatchObject({ userId: 'bob', usesWallet: true });
});

test('a list is about a wallet, a validation only when it is of a coupon', () => {
  const order = { case: 'cart', value: create(EvaluateCartRequestSchema, { cart }).cart } as const;
  const list = create(ListUsableCouponsRequestSchema, { userId: 'ann' });
  expect(scanListUsableCoupons(toBinary(ListUsableCouponsRequestSchema, list))).toMatchObject({
    userId: 'ann',
    usesWallet: true,
  });
  const scan = (subject: { case: 'couponId' | 'code'; value: string }) =>
    scanValidateCoupon(
      toBinary(
        ValidateCouponRequestSchema,
        create(ValidateCouponRequestSchema, {
          subject,
          ...(order.value && { order: { case: 'cart', value: order.value } }),
        }),
      ),
    );
  expect(scan({ case: 'couponId', value: 'c' })?.usesWallet).toBe(true);
  expect(scan({ case: 'code', value: 'c' })).toMatchObject({ usesWallet: false, codes: ['c'] });
});

test('hostile bytes are no message, or one whose facts are read; nothing throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      for (const scan of [scanEvaluateCart, scanListUsableCoupons, scanValidateCoupon]) {
        const scanned = scan(bytes);
        if (scanned !== undefined) expect(typeof scanned.userId).toBe('string');
      }
    }),
  );
});
