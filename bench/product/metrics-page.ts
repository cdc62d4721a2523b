/** Reads a page of Prometheus metrics. */

/** One line of the page. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** All samples of the page; comments are left out. */
export function parseMetrics(page: string): Sample[] {
  return page.split('\n').flatMap((line) => {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (match === null) return [];
    const [, name = '', labels = '', value = ''] = match;
    return [{ name, labels: parseLabels(labels), value: value === '+Inf' ? Infinity : Number(value) }];
  });
}

function parseLabels(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
}

/** Cumulative counts of a histogram by upper bound, ascending. */
export type Buckets = readonly (readonly [upperBound: number, count: number])[];

/** The buckets of a histogram without labels of its own. */
export function readBuckets(samples: readonly Sample[], name: string): Buckets {
  return samples
    .filter((sample) => sample.name === `${name}_bucket`)
    .map(({ labels, value }): [number, number] => [
      labels.le === '+Inf' ? Infinity : Number(labels.le),
      value,
    ])
    .toSorted(([a], [b]) => a - b);
}

/** What was counted between two readings of one histogram. */
export function subtractBuckets(after: Buckets, before: Buckets): Buckets {
  const earlier = new Map(before);
  return after.map(([bound, count]) => [bound, count - (earlier.get(bound) ?? 0)]);
}

/**
 * The quantile (0 to 1) by linear interpolation inside its bucket, as Prometheus does it; above the last bound the last bound.
 * NaN when nothing was counted.
 */
export function quantile(buckets: Buckets, share: number): number {
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total === 0) return Number.NaN;
  const rank = share * total;
  const index = buckets.findIndex(([, count]) => count >= rank);
  const [lower, below] = buckets[index - 1] ?? [0, 0];
  const [upper, count] = buckets[index] ?? [lower, below];
  if (!Number.isFinite(upper)) return lower;
  return count === below ? upper : lower + ((upper - lower) * (rank - below)) / (count - below);
}
