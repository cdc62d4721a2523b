/** Everything about claims, and how fast they reach Postgres. */
import { sampleAnswerBytes } from '../contenders/claim-messages.ts';
import { type Echo, startEchoes } from '../contenders/echoes.ts';
import { type GeneratorCheck, hasH2load, measureWithH2load } from '../contenders/generator-check.ts';
import { startLifeContenders } from '../contenders/life-contenders.ts';
import { Loads } from '../contenders/loads.ts';
import { createPromotions, OPEN_PROMOTION, productContenders } from '../contenders/product-contenders.ts';
import { startRedisSingleScript } from '../contenders/redis-single-script.ts';
import { runFlashSale } from '../flash-sale.ts';
import { type FlushLagResult, type FlushSetting, measureFlushLag } from '../flush-lag.ts';
import { measureOverload } from '../overload.ts';
import { unpinProcess } from '../processes/pinning.ts';
import { Product, type ServeProcess } from '../product/product.ts';
import { Promotions } from '../product/promotions.ts';
import type { ContenderSummary } from '../statistics.ts';
import { measureWalletMemory } from '../wallet-memory.ts';
import type { Outcome } from './outcome.ts';
import { measureAll, type SuiteRun } from './suite.ts';

/** Length of the steady load of the flush measurement. */
const FLUSH_SECONDS = 20;
const QUICK_FLUSH_SECONDS = 5;

/** Share of the measured peak at which the lag is measured. */
const FLUSH_SHARE = 0.5;

/** The memory of wallets, all contenders in rounds, the flash sale, the lag and the audit. */
export async function runClaim(run: SuiteRun): Promise<Outcome> {
  const { stack, say } = run;
  const setting = await startProduct(run);
  const { product, serve, promotions, loads } = setting;
  // First, while the keyspace is small: its hash table doubles in one step, which would be put down to a few wallets later.
  const redisBytesPerCoupon = await measureWalletMemory(product, serve, promotions, loads);
  say(`${redisBytesPerCoupon.toFixed(0)} bytes of Redis per coupon`);
  const echoes = await startEchoes(sampleAnswerBytes(OPEN_PROMOTION, Date.now()), loads, stack);
  const rows = [
    ...productContenders(product, serve, promotions, loads),
    ...echoes.map(({ contender }) => contender),
    ...(await startLifeContenders({ ...setting, orders: await startOrders(product, stack) }, stack)),
    await startRedisSingleScript(stack),
  ];
  const contenders = await measureAll(rows, run);
  const generatorCheck = await checkGenerator(echoes, contenders, loads, run);
  say('flash sale');
  const flashSale = await runFlashSale(product, [serve, await product.serve(stack)], promotions, loads);
  const flushLag = await flush(run, setting, contenders);
  say('audit');
  const audit = await product.audit();
  return {
    contenders,
    flashSale,
    flushLag,
    redisBytesPerCoupon,
    audit,
    ...(generatorCheck === undefined ? {} : { generatorCheck }),
  };
}

/** Only the lag, and the claims whose peak it is measured at half of. */
export async function runFlush(run: SuiteRun): Promise<Outcome> {
  const setting = await startProduct(run);
  const { product, serve, promotions, loads } = setting;
  const claims = productContenders(product, serve, promotions, loads).filter(
    ({ key }) => key === 'claim_grpc',
  );
  const contenders = await measureAll(claims, run);
  return { contenders, flushLag: await flush(run, setting, contenders), audit: await product.audit() };
}

/** What is left of the claims under three times the load that can be answered. */
export async function runOverload(run: SuiteRun): Promise<Outcome> {
  const setting = await startProduct(run);
  const overload = await measureOverload(setting, run);
  return { contenders: [], overload, audit: await setting.product.audit() };
}

/** Its evaluations run in worker threads, beside the main thread: it may use both cores. */
async function startOrders(product: Product, stack: AsyncDisposableStack): Promise<ServeProcess> {
  const orders = await product.serve(stack);
  unpinProcess(orders.process.pid);
  return orders;
}

async function startProduct({ stack, say }: SuiteRun): Promise<FlushSetting> {
  const product = await Product.start(stack);
  const serve = await product.serve(stack);
  const promotions = new Promotions(serve.httpPort, product.tokens.admin);
  await createPromotions(promotions, product.tokens.gateway);
  say('the product is ready');
  return { product, serve, promotions, loads: new Loads(OPEN_PROMOTION, product.tokens.gateway) };
}

async function flush(
  { options, say }: SuiteRun,
  setting: FlushSetting,
  contenders: readonly ContenderSummary[],
): Promise<FlushLagResult> {
  const peak = contenders.find(({ key }) => key === 'claim_grpc')?.operationsPerSecond ?? 0;
  const rate = peak * FLUSH_SHARE;
  say(`flush at ${Math.round(rate)} claims/s`);
  return measureFlushLag(setting, rate, options.quick ? QUICK_FLUSH_SECONDS : FLUSH_SECONDS);
}

async function checkGenerator(
  echoes: readonly Echo[],
  contenders: readonly ContenderSummary[],
  loads: Loads,
  { window }: SuiteRun,
): Promise<GeneratorCheck | undefined> {
  const port = echoes.find(({ contender }) => contender.key === 'echo_grpcjs')?.port;
  const ours = contenders.find(({ key }) => key === 'echo_grpcjs')?.operationsPerSecond;
  if (port === undefined || ours === undefined || !hasH2load()) return undefined;
  return { oursPerSecond: ours, h2loadPerSecond: await measureWithH2load(loads, port, window) };
}
