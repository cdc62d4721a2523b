/** Panels of dashboards, as they are written down here: what Grafana wants beside that is added by `dashboard.ts`. */

/** Units, by the names Grafana has for them. */
export type Unit =
  | 'short'
  | 'none'
  | 's'
  | 'bytes'
  | 'percentunit'
  | 'reqps'
  | 'ops'
  | 'dateTimeFromNow'
  | 'bool_on_off';

/** One query and the text of its legend, which may name labels as `{{label}}`. */
export interface Query {
  /** PromQL; `$s` stands for the selection made at the top of the dashboard. */
  readonly expression: string;
  readonly legend: string;
}

/** What is drawn. */
export interface Panel {
  readonly kind: 'timeseries' | 'stat' | 'table' | 'bargauge';
  readonly title: string;
  /** What it says and when to worry, for whoever is woken by it. */
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Width in 24ths of the screen; 8 by default. */
  readonly width?: number;
  /** Value from which it is shown in red. */
  readonly redFrom?: number;
  /** Value below which it is shown in red. */
  readonly redBelow?: number;
  /** Shows the series on top of each other. */
  readonly isStacked?: boolean;
}

/** Panels under one heading. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** A dashboard. */
export interface Dashboard {
  /** Never changes: links and bookmarks name it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** Offers a choice of methods beside namespace and instance. */
  readonly hasMethods?: boolean;
  readonly rows: readonly Row[];
}

/** One line for each combination of labels. */
export function query(expression: string, legend: string): Query {
  return { expression, legend };
}

/** The median, the 99th percentile and, where it matters, the slowest of a histogram. */
export function percentiles(histogram: string, options: { by?: string; matching?: string } = {}): Query[] {
  const { by, matching = '' } = options;
  const labels = by === undefined ? 'le' : `le, ${by}`;
  const prefix = by === undefined ? '' : `{{${by}}} `;
  const buckets = `sum by (${labels}) (rate(${histogram}_bucket{$s${matching}}[$__rate_interval]))`;
  return [50, 99].map((percent) =>
    query(`histogram_quantile(${percent / 100}, ${buckets})`, `${prefix}p${percent}`),
  );
}

/** How often something happens, by a label; what never happened is left out of the picture. */
export function rates(counter: string, by: string, matching = ''): Query {
  const rate = `sum by (${by}) (rate(${counter}{$s${matching}}[$__rate_interval]))`;
  return query(rate, `{{${by}}}`);
}

/** How often something happens in all. */
export function totalRate(counter: string, legend: string, matching = ''): Query {
  return query(`sum(rate(${counter}{$s${matching}}[$__rate_interval]))`, legend);
}
