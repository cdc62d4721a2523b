import { type Dashboard, type Panel, query, rates, totalRate } from './panel.ts';

/** What a counter rose by over the chosen time. */
function increase(counter: string, matching = ''): string {
  return `sum(increase(${counter}{$s${matching}}[$__range]))`;
}

const totals: readonly Panel[] = [
  {
    kind: 'stat',
    title: 'Issued',
    description: 'Coupons that came into being in the chosen time, whatever the way.',
    unit: 'short',
    width: 4,
    queries: [query(increase('promo_coupons_issued_total'), 'issued')],
  },
  {
    kind: 'stat',
    title: 'Used',
    description: 'Coupons that orders used for good in the chosen time; some may be given back later.',
    unit: 'short',
    width: 4,
    queries: [query(increase('promo_coupons_used_total'), 'used')],
  },
  {
    kind: 'stat',
    title: 'Expired',
    description:
      'Coupons found past their date and not used; counted when the job writes them down, once a day by default.',
    unit: 'short',
    width: 4,
    queries: [query(increase('promo_coupons_expired_total'), 'expired')],
  },
  {
    kind: 'stat',
    title: 'Usage rate',
    description: 'Used over issued in the chosen time. Coupons live for days: choose a week or more.',
    unit: 'percentunit',
    width: 4,
    queries: [
      query(
        `${increase('promo_coupons_used_total')} / ${increase('promo_coupons_issued_total')}`,
        'used over issued',
      ),
    ],
  },
  {
    kind: 'stat',
    title: 'Discount given',
    description:
      'Of committed orders in the chosen time, by currency, in minor units (cents, fen). Refunds are not taken off.',
    unit: 'short',
    width: 8,
    queries: [
      query('sum by (currency) (increase(promo_discount_minor_total{$s}[$__range]))', '{{currency}}'),
    ],
  },
];

const coupons: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Issued, by way',
    description: 'Claims, codes, points, activities, referrals, staff and what the system gave by itself.',
    unit: 'ops',
    isStacked: true,
    queries: [rates('promo_coupons_issued_total', 'source')],
  },
  {
    kind: 'timeseries',
    title: 'Orders, by call and outcome',
    description: 'Reservations, uses, commits and releases.',
    unit: 'ops',
    queries: [
      query(
        'sum by (call, outcome) (rate(promo_redemptions_total{$s}[$__rate_interval]))',
        '{{call}} {{outcome}}',
      ),
    ],
  },
  {
    kind: 'timeseries',
    title: 'Discount per second',
    description:
      'By currency, in minor units. A sudden rise without more orders: look at the latest change of promotions.',
    unit: 'short',
    queries: [rates('promo_discount_minor_total', 'currency')],
  },
  {
    kind: 'timeseries',
    title: 'Returns and refunds',
    description: 'What became of coupons of returned orders, and refunds by policy.',
    unit: 'ops',
    queries: [rates('promo_coupon_returns_total', 'outcome'), rates('promo_refunds_total', 'policy')],
  },
  {
    kind: 'timeseries',
    title: 'Used and expired',
    description:
      'Coupons per second that were used, and that were found expired (in bursts, when the job runs).',
    unit: 'ops',
    queries: [
      totalRate('promo_coupons_used_total', 'used'),
      totalRate('promo_coupons_expired_total', 'expired'),
    ],
  },
];

const points: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Points moved',
    description: 'Earned, awarded, spent, taken back, owed because they were spent already, expired.',
    unit: 'ops',
    queries: [rates('promo_points_total', 'movement')],
  },
  {
    kind: 'timeseries',
    title: 'Exchanges, by outcome',
    description: 'Points exchanged for coupons, and why not.',
    unit: 'ops',
    queries: [rates('promo_exchanges_total', 'outcome')],
  },
];

const outward: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Events of the shop',
    description: 'Attempts at events such as registrations and paid orders, and how they ended.',
    unit: 'ops',
    queries: [
      query(
        'sum by (kind, outcome) (rate(promo_events_total{$s}[$__rate_interval]))',
        '{{kind}} {{outcome}}',
      ),
    ],
  },
  {
    kind: 'timeseries',
    title: 'Events not settled',
    description:
      'Events that were taken in and have not done what they say yet. They are tried again until they have.',
    unit: 'none',
    queries: [query('max(promo_events_unsettled{$s})', 'not settled')],
  },
  {
    kind: 'timeseries',
    title: 'Webhooks',
    description: 'Batches delivered, failed, and given up.',
    unit: 'ops',
    queries: [rates('promo_webhook_deliveries_total', 'outcome')],
  },
  {
    kind: 'timeseries',
    title: 'Dead letters',
    description: 'Events no webhook took and nobody has sent again.',
    unit: 'none',
    redFrom: 1,
    queries: [query('max(promo_webhook_dead_letters{$s})', 'dead letters')],
  },
  {
    kind: 'timeseries',
    title: 'Lag of webhooks',
    description: 'Age of the oldest batch that waits for a webhook.',
    unit: 's',
    queries: [query('max(promo_webhook_lag_seconds{$s})', 'lag')],
  },
  {
    kind: 'timeseries',
    title: 'Streams of events',
    description: 'Open streams, and events sent over them per second.',
    unit: 'short',
    queries: [
      query('sum(promo_feed_streams{$s})', 'streams'),
      totalRate('promo_feed_events_total', 'events'),
    ],
  },
];

/** What promotions do for the business. */
export const business: Dashboard = {
  uid: 'hongbao-business',
  title: 'Hongbao: business',
  description: 'Coupons issued, used and expired, discount given, points, and what partners are told.',
  tags: ['business'],
  rows: [
    { title: 'In the chosen time', panels: totals },
    { title: 'Coupons and orders', panels: coupons },
    { title: 'Points', panels: points },
    { title: 'Events and webhooks', panels: outward },
  ],
};
