import { type Dashboard, type Panel, query } from './panel.ts';

const loop: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Event-loop utilisation',
    description: 'Share of time the main thread is busy. Above 0.9 latency rises: add processes, not cores.',
    unit: 'percentunit',
    redFrom: 0.9,
    queries: [query('rate(promo_event_loop_active_seconds_total{$s}[$__rate_interval])', '{{instance}}')],
  },
  {
    kind: 'timeseries',
    title: 'Event-loop lag',
    description: 'How late timers fire, 99th percentile and worst since the last scrape.',
    unit: 's',
    queries: [
      query('nodejs_eventloop_lag_p99_seconds{$s}', 'p99 {{instance}}'),
      query('nodejs_eventloop_lag_max_seconds{$s}', 'worst {{instance}}'),
    ],
  },
  {
    kind: 'timeseries',
    title: 'CPU',
    description: 'Cores in use, all threads together: main thread, evaluation threads, garbage collection.',
    unit: 'none',
    queries: [query('rate(process_cpu_seconds_total{$s}[$__rate_interval])', '{{instance}}')],
  },
];

const memory: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Memory',
    description: 'Resident memory of the process. The limit of the pod is what it must stay below.',
    unit: 'bytes',
    queries: [query('process_resident_memory_bytes{$s}', '{{instance}}')],
  },
  {
    kind: 'timeseries',
    title: 'Heap of the main thread',
    description: 'Used, and taken from the system; outside the heap: buffers.',
    unit: 'bytes',
    queries: [
      query('nodejs_heap_size_used_bytes{$s}', 'used {{instance}}'),
      query('nodejs_heap_size_total_bytes{$s}', 'taken {{instance}}'),
      query('nodejs_external_memory_bytes{$s}', 'outside {{instance}}'),
    ],
  },
  {
    kind: 'timeseries',
    title: 'Garbage collection',
    description:
      'Share of the main thread spent on it, by kind. A rise of `major` with a full heap: memory is short.',
    unit: 'percentunit',
    queries: [
      query(
        'sum by (instance, kind) (rate(nodejs_gc_duration_seconds_sum{$s}[$__rate_interval]))',
        '{{kind}} {{instance}}',
      ),
    ],
  },
];

const connections: readonly Panel[] = [
  {
    kind: 'timeseries',
    title: 'Connections',
    description: 'Sockets of the process: callers, Redis, Postgres.',
    unit: 'none',
    queries: [query('nodejs_active_resources{$s,type="TCPSocketWrap"}', '{{instance}}')],
  },
  {
    kind: 'timeseries',
    title: 'File descriptors',
    description: 'Share of those the process may open.',
    unit: 'percentunit',
    redFrom: 0.8,
    queries: [query('process_open_fds{$s} / process_max_fds{$s}', '{{instance}}')],
  },
  {
    kind: 'timeseries',
    title: 'Time since the start',
    description: 'Falls to 0 when a process is started anew. Teeth like those of a saw: it crashes.',
    unit: 's',
    queries: [query('time() - process_start_time_seconds{$s}', '{{instance}}')],
  },
  {
    kind: 'timeseries',
    title: 'Certificates and keys',
    description:
      'Times the files of TLS or the keys of tokens were read: `changed` is a rotation, `failed` needs a look.',
    unit: 'ops',
    width: 12,
    queries: [
      query('sum by (outcome) (rate(promo_tls_reloads_total{$s}[$__rate_interval]))', 'TLS {{outcome}}'),
      query('sum by (outcome) (rate(promo_auth_key_reads_total{$s}[$__rate_interval]))', 'keys {{outcome}}'),
    ],
  },
  {
    kind: 'timeseries',
    title: 'Spans of traces',
    description:
      'What became of them; nothing but zero where traces are off. `dropped`: too many waited; `failed`: the collector did not take them.',
    unit: 'ops',
    width: 12,
    queries: [query('sum by (outcome) (rate(promo_trace_spans_total{$s}[$__rate_interval]))', '{{outcome}}')],
  },
];

/** What the processes use. */
export const runtime: Dashboard = {
  uid: 'hongbao-runtime',
  title: 'Hongbao: runtime',
  description: 'Event loop, memory, garbage collection, CPU and connections of each process.',
  tags: ['runtime'],
  rows: [
    { title: 'Event loop and CPU', panels: loop },
    { title: 'Memory', panels: memory },
    { title: 'Connections and process', panels: connections },
  ],
};
