/** One run from start to report: starts everything, measures, ends everything. */
import { sampleAnswerBytes } from './contenders/claim-messages.ts';
import type { Contender, Window } from './contenders/contender.ts';
import { startEchoes } from './contenders/echoes.ts';
import { type GeneratorCheck, hasH2load, measureWithH2load } from './contenders/generator-check.ts';
import { Loads } from './contenders/loads.ts';
import { createPromotions, OPEN_PROMOTION, productContenders } from './contenders/product-contenders.ts';
import { startRedisSingleScript } from './contenders/redis-single-script.ts';
import { runRounds } from './contenders/rounds.ts';
import { type FlashSaleResult, runFlashSale } from './flash-sale.ts';
import { type FlushLagResult, type FlushSetting, measureFlushLag } from './flush-lag.ts';
import { describeMachine, describeSettings } from './machine.ts';
import type { BenchOptions } from './options.ts';
import { HELPER_CORE, pinProcess } from './processes/pinning.ts';
import { Product } from './product/product.ts';
import { Promotions } from './product/promotions.ts';
import { computeRatios, type Ratios } from './ratios.ts';
import type { Report } from './report/report.ts';
import { findWarnings } from './report/warnings.ts';
import type { ContenderSummary } from './statistics.ts';
import { allPassed, judge, readThresholds } from './thresholds.ts';

/** Time each server is under load before it is measured, so that its code is compiled. */
const WARM_UP_MS = 2_000;
const QUICK_WARM_UP_MS = 1_000;

/** Length of the steady load of the flush measurement. */
const FLUSH_SECONDS = 20;
const QUICK_FLUSH_SECONDS = 5;

/** Share of the measured peak at which the lag is measured. */
const FLUSH_SHARE = 0.5;

/** Bars that a run of `flush` can clear; `claim` is held to all of them. */
const FLUSH_BARS = ['flush_lag_p99_ms', 'audit_exit_code'];

/** What is known when the measurements are over. */
interface Outcome {
  readonly contenders: readonly ContenderSummary[];
  readonly flashSale?: FlashSaleResult;
  readonly flushLag: FlushLagResult;
  readonly audit: { readonly exitCode: number; readonly output: string };
  readonly generatorCheck?: GeneratorCheck;
}

/** Runs the benchmark. `say` gets a line about each step; the stack holds everything that must end with the run. */
export async function runBenchmark(
  options: BenchOptions,
  stack: AsyncDisposableStack,
  say: (line: string) => void,
): Promise<Report> {
  const startedAt = new Date().toISOString();
  const setting = await startProduct(stack);
  say('the product is ready');
  const window = { warmUpMs: warmUpMs(options), measureMs: options.seconds * 1000 };
  const outcome =
    options.command === 'claim'
      ? await runClaim(options, setting, window, stack, say)
      : await runFlush(options, setting, window, say);
  return assemble(options, startedAt, outcome);
}

function warmUpMs({ quick }: BenchOptions): number {
  return quick ? QUICK_WARM_UP_MS : WARM_UP_MS;
}

async function startProduct(stack: AsyncDisposableStack): Promise<FlushSetting> {
  pinProcess(process.pid, HELPER_CORE);
  const product = await Product.start(stack);
  const serve = await product.serve(stack);
  const promotions = new Promotions(serve.httpPort, product.tokens.admin);
  await createPromotions(promotions, product.tokens.gateway);
  return { product, serve, promotions, loads: new Loads(OPEN_PROMOTION, product.tokens.gateway) };
}

async function runClaim(
  options: BenchOptions,
  setting: FlushSetting,
  window: Window,
  stack: AsyncDisposableStack,
  say: (line: string) => void,
): Promise<Outcome> {
  const { product, serve, promotions, loads } = setting;
  const echoes = await startEchoes(sampleAnswerBytes(OPEN_PROMOTION, Date.now()), loads, stack);
  const contenders = [
    ...productContenders(product, serve, promotions, loads),
    ...echoes.map(({ contender }) => contender),
    await startRedisSingleScript(stack),
  ];
  const summaries = await measureAll(contenders, options.rounds, window, say);
  const generatorCheck = await checkGenerator(echoes, summaries, loads, window);
  say('flash sale');
  const flashSale = await runFlashSale(product, [serve, await product.serve(stack)], promotions, loads);
  const flushLag = await flush(options, setting, summaries, say);
  say('audit');
  const audit = await product.audit();
  return {
    contenders: summaries,
    flashSale,
    flushLag,
    audit,
    ...(generatorCheck === undefined ? {} : { generatorCheck }),
  };
}

async function runFlush(
  options: BenchOptions,
  setting: FlushSetting,
  window: Window,
  say: (line: string) => void,
): Promise<Outcome> {
  const { product, serve, promotions, loads } = setting;
  const claims = productContenders(product, serve, promotions, loads).filter(
    ({ key }) => key === 'claim_grpc',
  );
  const summaries = await measureAll(claims, options.rounds, window, say);
  const flushLag = await flush(options, setting, summaries, say);
  return { contenders: summaries, flushLag, audit: await product.audit() };
}

function measureAll(
  contenders: readonly Contender[],
  rounds: number,
  window: Window,
  say: (line: string) => void,
): Promise<ContenderSummary[]> {
  return runRounds(contenders, rounds, window, (round, { key }, { operationsPerSecond, serverCpuUs }) =>
    say(`round ${round}: ${key} ${Math.round(operationsPerSecond)}/s, ${serverCpuUs.toFixed(1)} µs each`),
  );
}

async function flush(
  options: BenchOptions,
  setting: FlushSetting,
  summaries: readonly ContenderSummary[],
  say: (line: string) => void,
): Promise<FlushLagResult> {
  const peak = summaries.find(({ key }) => key === 'claim_grpc')?.operationsPerSecond ?? 0;
  const rate = peak * FLUSH_SHARE;
  say(`flush at ${Math.round(rate)} claims/s`);
  return measureFlushLag(setting, rate, options.quick ? QUICK_FLUSH_SECONDS : FLUSH_SECONDS);
}

async function checkGenerator(
  echoes: Awaited<ReturnType<typeof startEchoes>>,
  summaries: readonly ContenderSummary[],
  loads: Loads,
  window: Window,
): Promise<GeneratorCheck | undefined> {
  const port = echoes.find(({ contender }) => contender.key === 'echo_grpcjs')?.port;
  const ours = summaries.find(({ key }) => key === 'echo_grpcjs')?.operationsPerSecond;
  if (port === undefined || ours === undefined || !hasH2load()) return undefined;
  return { oursPerSecond: ours, h2loadPerSecond: await measureWithH2load(loads, port, window) };
}

function assemble(options: BenchOptions, startedAt: string, outcome: Outcome): Report {
  const thresholds = readThresholds();
  const ratios = { ...computeRatios(outcome.contenders), ...figuresOf(outcome) };
  const bars = options.command === 'claim' ? Object.keys(thresholds) : FLUSH_BARS;
  const verdicts = judge(thresholds, ratios, bars, options.quick);
  return {
    command: options.command,
    startedAt,
    machine: describeMachine(),
    settings: describeSettings(options, warmUpMs(options)),
    ...outcome,
    ratios,
    thresholds: verdicts,
    warnings: findWarnings(outcome.contenders, options.command, outcome.generatorCheck),
    passed: allPassed(verdicts),
  };
}

/** Figures that are no ratio but stand beside them, under the names the bars use. */
function figuresOf({ contenders, flashSale, flushLag, audit }: Outcome): Ratios {
  return {
    ...(flashSale === undefined
      ? {}
      : {
          flashsale_wins: flashSale.wins,
          flashsale_oversold: flashSale.oversold,
          flashsale_duplicates: flashSale.duplicates,
        }),
    flush_lag_p99_ms: flushLag.p99Ms,
    errors:
      contenders.reduce((sum, { errors }) => sum + errors, 0) +
      (flashSale?.unanswered ?? 0) +
      flushLag.errors,
    audit_exit_code: audit.exitCode,
  };
}
