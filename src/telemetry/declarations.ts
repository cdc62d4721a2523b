import type { Registry } from 'prom-client';
import {
  Counter,
  Family,
  Gauge,
  Histogram,
  registerCounters,
  registerGauges,
  registerHistograms,
} from './metric.ts';

/** What `declarations` gives. */
export type Declare = ReturnType<typeof declarations>;

/** The family with a child for each of these label values, so that the first count of a kind already is a rise from zero. */
export function withChildren<Child, Value extends string>(
  family: Family<Child, readonly [Value]>,
  values: readonly Value[],
): Family<Child, readonly [Value]> {
  for (const value of values) family.child(value);
  return family;
}

/** The ways to declare a metric in a registry: one number, or one per combination of labels. */
export function declarations(registry: Registry) {
  const counters = <L extends readonly string[]>(
    name: string,
    help: string,
    labelNames: readonly string[],
  ) => {
    const family = new Family<Counter, L>(() => new Counter());
    registerCounters(registry, { name, help, labelNames }, () => family.entries());
    return family;
  };
  const gauges = <L extends readonly string[]>(name: string, help: string, labelNames: readonly string[]) => {
    const family = new Family<Gauge, L>(() => new Gauge());
    registerGauges(registry, { name, help, labelNames }, () => family.entries());
    return family;
  };
  const histograms = <L extends readonly string[]>(
    name: string,
    help: string,
    labelNames: readonly string[],
    upperBounds: readonly number[],
  ) => {
    const family = new Family<Histogram, L>(() => new Histogram(upperBounds));
    registerHistograms(registry, { name, help, labelNames }, () => family.entries());
    return family;
  };
  return {
    counters,
    gauges,
    histograms,
    counter: (name: string, help: string) => counters<readonly []>(name, help, []).child(),
    gauge: (name: string, help: string) => gauges<readonly []>(name, help, []).child(),
    histogram: (name: string, help: string, upperBounds: readonly number[]) =>
      histograms<readonly []>(name, help, [], upperBounds).child(),
  };
}
