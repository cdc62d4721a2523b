import { AVAILABILITY, IN_TIME } from './objectives.ts';
import { type Dashboard, type Panel, percentiles, query, rates, totalRate } from './panel.ts';

/** `namespace` is the one label recorded series keep. */
const NAMESPACE = '{namespace=~"$namespace"}';
const METHOD = ',grpc_method=~"$method"';

const WINDOWS = ['5m', '1h', '6h', '3d'] as const;

function burn(title: string, ratio: string, objective: number, description: string): Panel {
  const budget = Number((1 - objective).toFixed(6));
  return {
    kind: 'timeseries',
    title,
    description,
    unit: 'none',
    width: 12,
    redFrom: 14.4,
    queries: WINDOWS.map((window) =>
      query(`namespace:${ratio}:ratio_rate${window}${NAMESPACE} / ${budget}`, `${window} {{namespace}}`),
    ),
  };
}

function left(title: string, ratio: string, objective: number, description: string): Panel {
  const budget = Number((1 - objective).toFixed(6));
  return {
    kind: 'stat',
    title,
    description,
    unit: 'percentunit',
    width: 6,
    redBelow: 0.25,
    queries: [
      query(`clamp_min(1 - namespace:${ratio}:ratio_rate3d${NAMESPACE} / ${budget}, 0)`, '{{namespace}}'),
    ],
  };
}

const objectives: readonly Panel[] = [
  left(
    'Availability: budget left, 3 days',
    'grpc_server_errors',
    AVAILABILITY,
    'Share of the error budget (0.1 % of calls) of the last three days that is left. At 0 the objective is missed at this pace.',
  ),
  left(
    'Latency: budget left, 3 days',
    'grpc_server_slow',
    IN_TIME,
    'Share of the budget for late answers (1 % of what buyers call above 100 ms) of the last three days that is left.',
  ),
  {
    kind: 'stat',
    title: 'Serving processes',
    description: 'Processes of role serve that Prometheus reaches.',
    unit: 'none',
    width: 4,
    redBelow: 1,
    queries: [query('count(promo_build_info{$s,role="serve"})', 'serve')],
  },
  {
    kind: 'stat',
    title: 'Archiving processes',
    description:
      'Processes of role archive that Prometheus reaches; one works per partition, the others wait.',
    unit: 'none',
    width: 4,
    redBelow: 1,
    queries: [query('count(promo_build_info{$s,role="archive"})', 'archive')],
  },
  {
    kind: 'stat',
    title: 'Versions',
    description: 'Releases that run now; two during a roll-out, one otherwise.',
    unit: 'none',
    width: 4,
    queries: [query('count by (version) (promo_build_info{$s})', '{{version}}')],
  },
  burn(
    'Availability: burn rate',
    'grpc_server_errors',
    AVAILABILITY,
    'How many times faster than allowed the error budget is spent. 1 = just enough for the month; 14.4 for an hour wakes somebody. See docs/runbooks/hongbao-availability-fast-burn.md.',
  ),
  burn(
    'Latency: burn rate',
    'grpc_server_slow',
    IN_TIME,
    'The same for calls of buyers answered after 100 ms. See docs/runbooks/hongbao-latency-fast-burn.md.',
  ),
];

const calls: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Calls',
    description: 'Calls begun, by method, on every protocol.',
    unit: 'reqps',
    queries: [rates('grpc_server_started_total', 'grpc_method', METHOD)],
  },
  {
    kind: 'timeseries',
    title: 'Answers that are not OK',
    description:
      'By status code. FAILED_PRECONDITION and RESOURCE_EXHAUSTED are refusals that callers expect (sold out, limit reached); INTERNAL, UNKNOWN, DATA_LOSS, UNAVAILABLE and DEADLINE_EXCEEDED spend the error budget.',
    unit: 'reqps',
    isStacked: true,
    queries: [rates('grpc_server_handled_total', 'grpc_code', `${METHOD},grpc_code!="OK"`)],
  },
  {
    kind: 'timeseries',
    title: 'Latency',
    description:
      'From the headers of a call to its answer, as the process sees it; the network comes on top.',
    unit: 's',
    queries: percentiles('grpc_server_handling_seconds', { matching: METHOD }),
  },
  {
    kind: 'timeseries',
    title: 'p99 by method',
    description: 'Which method is slow. Claims of LEDGER promotions wait for the archive, by design.',
    unit: 's',
    width: 12,
    queries: percentiles('grpc_server_handling_seconds', { by: 'grpc_method', matching: METHOD }).slice(1),
  },
  {
    kind: 'timeseries',
    title: 'Failures by method',
    description: 'Answers that spend the error budget, by method.',
    unit: 'reqps',
    width: 12,
    queries: [
      rates(
        'grpc_server_handled_total',
        'grpc_method',
        `${METHOD},grpc_code=~"UNKNOWN|INTERNAL|UNAVAILABLE|DATA_LOSS|DEADLINE_EXCEEDED"`,
      ),
    ],
  },
];

const admission: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Calls under way',
    description:
      'Unary calls under way, and how many are taken on at a time. The limit sinks while calls take too long; where both meet, calls are shed.',
    unit: 'none',
    queries: [
      query('sum by (instance) (promo_server_in_flight{$s})', '{{instance}}'),
      query('min by (instance) (promo_server_in_flight_limit{$s} > 0)', 'limit {{instance}}'),
    ],
  },
  {
    kind: 'timeseries',
    title: 'Turned away',
    description:
      'Calls shed because too many were under way, and calls of callers or users that call too often.',
    unit: 'reqps',
    queries: [totalRate('promo_server_shed_total', 'shed'), rates('promo_rate_limited_total', 'limit')],
  },
  {
    kind: 'timeseries',
    title: 'Callers not let in',
    description: 'Missing, broken, expired or insufficient credentials, by reason.',
    unit: 'reqps',
    queries: [rates('promo_auth_rejections_total', 'reason')],
  },
];

/** The first place to look: are the promises kept, and if not, which calls fail? */
export const overview: Dashboard = {
  uid: 'hongbao-overview',
  title: 'Hongbao: overview',
  description: 'Objectives, calls and what is turned away.',
  tags: ['slo'],
  hasMethods: true,
  rows: [
    { title: 'Objectives', panels: objectives },
    { title: 'Calls', panels: calls },
    { title: 'Admission', panels: admission },
  ],
};
