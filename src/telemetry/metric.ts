/**
 * Metrics as plain numbers. The code that counts adds to a field and pays a few nanoseconds; a scrape reads the fields
 * into a prom-client registry. (prom-client in the path of a call costs 0.6 µs for each value, and four are needed.)
 */
import {
  type Registry,
  Counter as RegistryCounter,
  Gauge as RegistryGauge,
  Histogram as RegistryHistogram,
} from 'prom-client';

/** A number that only grows: `counter.value += 1`. */
export class Counter {
  value = 0;
}

/** A number that goes up and down. With a `source`, a scrape asks it instead of reading `value`. */
export class Gauge {
  value = 0;
  source: (() => number) | undefined;

  /** The number a scrape shows. */
  read(): number {
    return this.source === undefined ? this.value : this.source();
  }
}

/** A distribution over fixed buckets. */
export class Histogram {
  readonly upperBounds: readonly number[];
  /** How many values fell into each bucket (not cumulative); the last one is above every bound. */
  readonly counts: number[];
  sum = 0;

  constructor(upperBounds: readonly number[]) {
    this.upperBounds = upperBounds;
    this.counts = new Array<number>(upperBounds.length + 1).fill(0);
  }

  /** Adds one value in the base unit of the metric. */
  observe(value: number): void {
    const bounds = this.upperBounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += value;
  }
}

/** Metrics of one name told apart by labels. Children live as long as the process: label values come from closed lists. */
export class Family<Child, LabelValues extends readonly string[]> {
  readonly #create: () => Child;
  readonly #children = new Map<string, { labels: LabelValues; child: Child }>();

  constructor(create: () => Child) {
    this.#create = create;
  }

  /** The one child with these label values, made at first use. Keep it where it is used often. */
  child(...labels: LabelValues): Child {
    const key = labels.join('\u0000');
    const known = this.#children.get(key);
    if (known !== undefined) return known.child;
    const child = this.#create();
    this.#children.set(key, { labels, child });
    return child;
  }

  /** Every child with its label values. */
  entries(): Iterable<{ labels: LabelValues; child: Child }> {
    return this.#children.values();
  }
}

/** What a scrape shows about a metric beside its numbers. */
export interface Declaration {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

type Labels = Record<string, string>;
type Source<Child> = () => Iterable<{ labels: readonly string[]; child: Child }>;

function labelsOf({ labelNames }: Declaration, values: readonly string[]): Labels {
  return Object.fromEntries(labelNames.map((name, index) => [name, values[index] ?? '']));
}

/** Shows counters in the registry. */
export function registerCounters(
  registry: Registry,
  declaration: Declaration,
  source: Source<Counter>,
): void {
  new RegistryCounter({
    ...declaration,
    registers: [registry],
    collect() {
      this.reset();
      for (const { labels, child } of source()) this.inc(labelsOf(declaration, labels), child.value);
    },
  });
}

/** Shows gauges in the registry. */
export function registerGauges(registry: Registry, declaration: Declaration, source: Source<Gauge>): void {
  new RegistryGauge({
    ...declaration,
    registers: [registry],
    collect() {
      this.reset();
      for (const { labels, child } of source()) this.set(labelsOf(declaration, labels), child.read());
    },
  });
}

/** Shows histograms in the registry. */
export function registerHistograms(
  registry: Registry,
  declaration: Declaration,
  source: Source<Histogram>,
): void {
  new CollectedHistogram(registry, declaration, source);
}

interface Sample {
  readonly labels: Record<string, string | number>;
  readonly value: number;
  readonly metricName: string;
}

/** A histogram of prom-client cannot be set, so this one answers a scrape from ours. */
class CollectedHistogram extends RegistryHistogram {
  /** An empty histogram outside any registry: the frame into which the samples are put. */
  readonly #frame: RegistryHistogram;
  readonly #declaration: Declaration;
  readonly #source: Source<Histogram>;

  constructor(registry: Registry, declaration: Declaration, source: Source<Histogram>) {
    super({ ...declaration, registers: [registry] });
    this.#frame = new RegistryHistogram({ ...declaration, registers: [] });
    this.#declaration = declaration;
    this.#source = source;
  }

  override async get(): ReturnType<RegistryHistogram['get']> {
    const values: Sample[] = [];
    for (const { labels, child } of this.#source()) {
      values.push(...samplesOf(this.#declaration.name, labelsOf(this.#declaration, labels), child));
    }
    return { ...(await this.#frame.get()), values };
  }

  /** What the registry calls instead of `get` when it writes text. */
  getForPromString(): ReturnType<RegistryHistogram['get']> {
    return this.get();
  }
}

function samplesOf(name: string, labels: Labels, histogram: Histogram): Sample[] {
  let total = 0;
  const buckets = histogram.counts.map((count, index) => {
    total += count;
    const le = histogram.upperBounds[index] ?? '+Inf';
    return { labels: { le, ...labels }, value: total, metricName: `${name}_bucket` };
  });
  return [
    ...buckets,
    { labels, value: histogram.sum, metricName: `${name}_sum` },
    { labels, value: total, metricName: `${name}_count` },
  ];
}
