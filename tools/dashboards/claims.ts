import { type Dashboard, type Panel, percentiles, query, rates, totalRate } from './panel.ts';

const outcomes: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Claims by outcome',
    description:
      'Claimed and replayed are successes (replayed: the same request came again). SOLD_OUT and LIMIT_REACHED are what a flash sale ends in; LEDGER_* and INTERNAL are faults.',
    unit: 'ops',
    width: 12,
    isStacked: true,
    queries: [rates('promo_claims_total', 'outcome')],
  },
  {
    kind: 'timeseries',
    title: 'Share sold out',
    description:
      'Share of claims that came too late. A rise to nearly 1 within seconds is the end of a flash sale.',
    unit: 'percentunit',
    queries: [
      query(
        'sum(rate(promo_claims_total{$s,outcome="SOLD_OUT"}[$__rate_interval])) / sum(rate(promo_claims_total{$s}[$__rate_interval]))',
        'sold out',
      ),
    ],
  },
  {
    kind: 'stat',
    title: 'Claimed now',
    description: 'Coupons claimed per second over the last minutes.',
    unit: 'ops',
    width: 4,
    queries: [totalRate('promo_claims_total', 'claimed', ',outcome="claimed"')],
  },
  {
    kind: 'timeseries',
    title: 'Codes tried, by outcome',
    description: 'Codes tried for the wallet. TOO_MANY_CODE_ATTEMPTS: somebody guesses.',
    unit: 'ops',
    queries: [rates('promo_code_claims_total', 'outcome')],
  },
  {
    kind: 'timeseries',
    title: 'Latency of claims',
    description: 'Of ClaimCoupon and BatchClaimCoupons, in the process.',
    unit: 's',
    queries: percentiles('grpc_server_handling_seconds', {
      by: 'grpc_method',
      matching: ',grpc_method=~"ClaimCoupon|BatchClaimCoupons"',
    }),
  },
];

const ledger: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Writes in one script call',
    description: 'Claims gather while the ledger is busy; larger batches under load are what makes it fast.',
    unit: 'none',
    queries: percentiles('promo_ledger_batch_items'),
  },
  {
    kind: 'timeseries',
    title: 'Time of a script call',
    description:
      'From sending to the reply, the fsync of Redis included. A rise with calm callers is the disk of Redis.',
    unit: 's',
    queries: percentiles('promo_ledger_script_seconds'),
  },
  {
    kind: 'timeseries',
    title: 'Waiting and under way',
    description:
      'Writes waiting to be sent and writes sent without an answer yet. A queue that only grows means that Redis does not keep up.',
    unit: 'none',
    queries: [
      query('sum(promo_ledger_queue_items{$s})', 'waiting'),
      query('sum(promo_ledger_inflight{$s})', 'under way'),
    ],
  },
  {
    kind: 'timeseries',
    title: 'Retries by cause',
    description:
      'Calls to Redis made again. `closed`: the partition is not open for writes; `connection`: Redis went away.',
    unit: 'ops',
    queries: [rates('promo_ledger_retries_total', 'cause')],
  },
  {
    kind: 'timeseries',
    title: 'Errors of scripts',
    description: 'Script calls that ended with an error. Any is worth a look at the log.',
    unit: 'ops',
    redFrom: 0.001,
    queries: [totalRate('promo_ledger_script_errors_total', 'errors')],
  },
];

const stock: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Units moved between partitions',
    description:
      'Stock that partitions took from the shared pool or gave back; nothing where the ledger has one partition.',
    unit: 'ops',
    queries: [rates('promo_lease_units_total', 'movement')],
  },
  {
    kind: 'timeseries',
    title: 'How asking for stock ended',
    description:
      '`exhausted` is the end of a sale. `unavailable`: a partition did not answer, so nobody may say that nothing is left.',
    unit: 'ops',
    queries: [rates('promo_lease_ends_total', 'end')],
  },
  {
    kind: 'timeseries',
    title: 'Calls to move stock',
    description: 'Calls behind it, by what they did. Many looks for few units: the stock is nearly gone.',
    unit: 'ops',
    queries: [rates('promo_lease_calls_total', 'call')],
  },
];

/** A flash sale as it goes. */
export const claims: Dashboard = {
  uid: 'hongbao-claims',
  title: 'Hongbao: claims and flash sales',
  description: 'Claims by outcome, the ledger that decides them, and stock that moves between partitions.',
  tags: ['claims'],
  rows: [
    { title: 'Claims', panels: outcomes },
    { title: 'Ledger', panels: ledger },
    { title: 'Stock', panels: stock },
  ],
};
