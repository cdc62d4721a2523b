/**
 * Claims of one hot promotion, by partitions and by masters. On one machine more masters cannot be faster: they share its cores. What
 * the figures say is what a claim costs a master, and that this does not grow with the number of masters; since masters share
 * nothing, a machine of its own for each multiplies the claims.
 */
import type { Contender, ContenderKey } from '../contenders/contender.ts';
import { Loads } from '../contenders/loads.ts';
import { batchContender, OPEN_PROMOTION } from '../contenders/product-contenders.ts';
import { unpinProcess } from '../processes/pinning.ts';
import { clusterOf, oneServer, type StartLedgerServers } from '../product/ledger-servers.ts';
import { Product } from '../product/product.ts';
import { Promotions } from '../product/promotions.ts';
import type { ContenderSummary } from '../statistics.ts';
import type { Outcome } from './outcome.ts';
import { measureAll, type SuiteRun } from './suite.ts';

/** Partitions wherever there is more than one. */
const PARTITIONS = 16;
const MASTERS = [1, 2, 3] as const;

const STOCK = 1_000_000_000;
const UNLIMITED_PROMOTION = 'bench-claims-unlimited';

const MICROSECONDS_PER_SECOND = 1_000_000;

/** One product under measurement. */
interface SetUp {
  readonly product: Product;
  /** A batch load on this product, of one of its two promotions. */
  contender(key: ContenderKey, title: string, promotionId: string): Contender;
}

/** Partitions and leases on one server, and the same on one, two and three masters. */
export async function runClaimCluster(run: SuiteRun): Promise<Outcome> {
  const one = await setUp(run, oneServer, 1);
  const many = await setUp(run, oneServer, PARTITIONS);
  const clusters = [];
  for (const masters of MASTERS) clusters.push(await setUp(run, clusterOf(masters), PARTITIONS));
  run.say('the products are ready');
  const contenders = await measureAll(
    [
      one.contender('partition_batch', 'one server, 1 partition', OPEN_PROMOTION),
      many.contender('unleased_batch', `one server, ${PARTITIONS} partitions, no stock`, UNLIMITED_PROMOTION),
      many.contender('leased_batch', `one server, ${PARTITIONS} partitions, leased`, OPEN_PROMOTION),
      ...clusters.map((cluster, index) =>
        cluster.contender(
          `masters_${MASTERS[index] ?? 1}_batch`,
          `${MASTERS[index]} master(s), ${PARTITIONS} partitions, leased`,
          OPEN_PROMOTION,
        ),
      ),
    ],
    run,
  );
  run.say('audits');
  const audits = [];
  for (const { product } of [one, many, ...clusters]) audits.push(await product.audit());
  const failed = audits.find(({ exitCode }) => exitCode !== 0);
  const audit = failed ?? { exitCode: 0, output: `${audits.length} products: every invariant holds` };
  return { contenders, audit, paper: onPaper(contenders) };
}

async function setUp({ stack }: SuiteRun, servers: StartLedgerServers, partitions: number): Promise<SetUp> {
  const product = await Product.start(stack, servers, partitions);
  // However many masters there are, they have the same cores.
  for (const pid of product.redis.pids) unpinProcess(pid);
  const serve = await product.serve(stack);
  const promotions = new Promotions(serve.httpPort, product.tokens.admin);
  await promotions.create({ id: OPEN_PROMOTION, quantity: STOCK, perUserLimit: 1 });
  await promotions.create({ id: UNLIMITED_PROMOTION, perUserLimit: 1 });
  const loads = new Loads(OPEN_PROMOTION, product.tokens.gateway);
  return {
    product,
    contender: (key, title, promotionId) =>
      batchContender({ product, serve, promotions, loads }, { key, title, promotionId }),
  };
}

/** Claims per second that masters with a core of their own can take, by what a claim costs one here. */
function onPaper(contenders: readonly ContenderSummary[]): Record<string, number> {
  return Object.fromEntries(
    MASTERS.flatMap((masters) => {
      const costUs = contenders.find(({ key }) => key === `masters_${masters}_batch`)?.behindCpuUs.redis;
      if (costUs === undefined || costUs === 0) return [];
      return [[`paper_claims_per_second_${masters}_masters`, (masters * MICROSECONDS_PER_SECOND) / costUs]];
    }),
  );
}
