/** What operations leave in the stores, as lines. */
import type { SizesResult } from '../sizes/measure-sizes.ts';
import type { Growth } from '../sizes/store-sizes.ts';
import { alignRows } from './align-rows.ts';
import { formatCount } from './format.ts';

const OPERATIONS: readonly (readonly [title: string, growth: (sizes: SizesResult) => Growth])[] = [
  ["a user's first coupon", ({ firstCoupon }) => firstCoupon],
  ['a further coupon', ({ furtherCoupon }) => furtherCoupon],
  ['an order that uses a coupon (5 lines)', ({ order }) => order],
  ["a completed order that earns a user's first points", ({ firstPoints }) => firstPoints],
];

/** The lines; none when nothing was measured. */
export function sizesLines(sizes: SizesResult | undefined): string[] {
  if (sizes === undefined) return [];
  const { events, bytesPerEvent, archivedPerSecond } = sizes.backlog;
  return [
    ...alignRows([
      ['bytes per operation', 'Redis', 'Postgres', 'write-ahead log'],
      ...OPERATIONS.map(([title, growthOf]) => {
        const { redisBytes, postgresBytes, walBytes } = growthOf(sizes);
        return [title, String(redisBytes), String(postgresBytes), String(walBytes)];
      }),
    ]),
    ...OPERATIONS.map(([title, growthOf]) => `${title}, by table: ${tablesOf(growthOf(sizes))}`),
    `an archive that was away: ${formatCount(events)} events waited, ${bytesPerEvent} bytes of Redis each; ` +
      `then archived at ${formatCount(archivedPerSecond)} events/s`,
    '',
  ];
}

function tablesOf({ tables }: Growth): string {
  return Object.entries(tables)
    .map(([name, bytes]) => `${name} ${bytes}`)
    .join(', ');
}
