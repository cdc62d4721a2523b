/** The ratios the product is held to, each between two contenders of the same run. */
import type { ContenderKey, Measurement } from './contenders/contender.ts';
import { type ContenderSummary, median } from './statistics.ts';

/** Named figures of a run; the names are part of the report's contract. */
export type Ratios = Readonly<Record<string, number>>;

type Read = (round: Measurement) => number;

interface RatioRule {
  readonly name: string;
  readonly above: ContenderKey;
  readonly below: ContenderKey;
  readonly read: Read;
}

const throughput: Read = (round) => round.operationsPerSecond;
const serverCpu: Read = (round) => round.serverCpuUs;

/** What traces leave of the claims, by how much is recorded. */
const TRACED: readonly RatioRule[] = (
  ['traced_none_grpc', 'traced_hundredth_grpc', 'traced_all_grpc', 'traced_lost_grpc'] as const
).flatMap((above) => [
  { name: `${above}_throughput_vs_untraced`, above, below: 'untraced_grpc', read: throughput },
  { name: `${above}_cpu_vs_untraced`, above, below: 'untraced_grpc', read: serverCpu },
]);

const RULES: readonly RatioRule[] = [
  ...TRACED,
  {
    name: 'claim_grpc_throughput_vs_grpcjs_echo',
    above: 'claim_grpc',
    below: 'echo_grpcjs',
    read: throughput,
  },
  { name: 'claim_grpc_cpu_vs_grpcjs_echo', above: 'claim_grpc', below: 'echo_grpcjs', read: serverCpu },
  {
    name: 'claim_connect_throughput_vs_bare_http_echo',
    above: 'claim_connect',
    below: 'echo_http',
    read: throughput,
  },
  {
    name: 'claim_connect_throughput_vs_connect_node_echo',
    above: 'claim_connect',
    below: 'echo_connect_node',
    read: throughput,
  },
  {
    name: 'claim_batch_items_vs_redis_single_script',
    above: 'claim_batch',
    below: 'redis_single_script',
    read: throughput,
  },
  {
    name: 'claim_stream_items_vs_redis_single_script',
    above: 'claim_stream',
    below: 'redis_single_script',
    read: throughput,
  },
  {
    name: 'evaluate_grpc_throughput_vs_grpcjs_echo',
    above: 'evaluate_grpc',
    below: 'echo_grpcjs_cart',
    read: throughput,
  },
  {
    name: 'evaluate_grpc_cpu_vs_grpcjs_echo',
    above: 'evaluate_grpc',
    below: 'echo_grpcjs_cart',
    read: serverCpu,
  },
  {
    name: 'reserve_commit_pairs_vs_claims',
    above: 'reserve_commit_grpc',
    below: 'claim_grpc',
    read: throughput,
  },
  { name: 'order_floor_vs_claims', above: 'order_floor_grpc', below: 'claim_grpc', read: throughput },
  { name: 'exchanges_vs_claims', above: 'exchange_grpc', below: 'claim_grpc', read: throughput },
  { name: 'wallet_read_vs_grpcjs_echo', above: 'wallet_grpc', below: 'echo_grpcjs_wallet', read: throughput },
  {
    name: 'leases_throughput_vs_unlimited',
    above: 'leased_batch',
    below: 'unleased_batch',
    read: throughput,
  },
  {
    name: 'partitions_throughput_vs_one',
    above: 'leased_batch',
    below: 'partition_batch',
    read: throughput,
  },
  {
    name: 'masters_3_throughput_vs_masters_1',
    above: 'masters_3_batch',
    below: 'masters_1_batch',
    read: throughput,
  },
  { name: 'soldout_refusals_vs_claims', above: 'soldout_grpc', below: 'claim_grpc', read: throughput },
];

/**
 * Every ratio whose two contenders were measured. A ratio is the median of the ratios of the rounds: contenders take turns within
 * a round, so what slows the whole machine for a while slows both sides and cancels out.
 */
export function computeRatios(summaries: readonly ContenderSummary[]): Ratios {
  const byKey = new Map(summaries.map((summary) => [summary.key, summary]));
  const ratios: Record<string, number> = {};
  for (const { name, above, below, read } of RULES) {
    const upper = byKey.get(above);
    const lower = byKey.get(below);
    if (upper !== undefined && lower !== undefined) ratios[name] = ratioOfRounds(upper, lower, read);
  }
  return ratios;
}

function ratioOfRounds(upper: ContenderSummary, lower: ContenderSummary, read: Read): number {
  const pairs = upper.rounds.flatMap((round, index) => {
    const other = lower.rounds[index];
    return other === undefined ? [] : [read(round) / read(other)];
  });
  return median(pairs);
}
