/** What everybody buys on paper: units of one thing. */

/** Price of a unit, in minor units. */
export const PRICE_MINOR = 1_000;
/** Units per order. */
export const UNITS = 3;

/** An order's head, but for its state, its coupons and its times. */
export const EMPTY_HEAD = {
  ...{
    digest: 'digest',
    orderNumber: '',
    currency: 'CNY',
    itemsMinor: PRICE_MINOR * UNITS,
    shippingMinor: 0,
  },
  ...{
    shippingDiscountMinor: 0,
    refundedMinor: 0,
    shippingRefundedMinor: 0,
    bonusPoints: 0,
    gifts: [],
    ruleSetVersion: 1,
  },
  lines: [
    {
      lineId: '1',
      itemId: 'a',
      quantity: UNITS,
      unitPriceMinor: PRICE_MINOR,
      payableMinor: PRICE_MINOR * UNITS,
      returnedQuantity: 0,
      refundedMinor: 0,
    },
  ],
};
