// SPEC P2, SPEC R14
import { expect, it } from 'vitest';
import { tryEffect } from './effect-trial.ts';

it('a voucher without threshold takes its amount off, and no more than there is to pay', () => {
  const voucher = { kind: 'no_threshold_voucher', amountMinor: 500 } as const;
  expect(tryEffect(voucher, [{ price: 1001 }, { price: 999 }])).toMatchObject({
    off: [250, 250],
    itemsOff: 500,
  });
  expect(tryEffect(voucher, [{ price: 120 }, { price: 80 }])).toMatchObject({
    off: [120, 80],
    itemsOff: 200,
  });
});
