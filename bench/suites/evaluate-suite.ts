/** Everything about evaluations: the engine alone, its combiner, and the whole service. */
import { startEvaluateContenders } from '../contenders/evaluate-contenders.ts';
import { measureBeside } from '../evaluate/beside-heavy.ts';
import { checkAgreement } from '../evaluate/check-agreement.ts';
import { measureCombine } from '../evaluate/combine-rounds.ts';
import { measureCore } from '../evaluate/core-rounds.ts';
import { besideRatios, combineRatios, coreRatios } from '../evaluate/evaluate-ratios.ts';
import { startService } from '../evaluate/start-service.ts';
import { unpinProcess } from '../processes/pinning.ts';
import { Product } from '../product/product.ts';
import type { Outcome } from './outcome.ts';
import { measureAll, type SuiteRun } from './suite.ts';

/** The engine first, while nothing else runs; then the service. */
export async function runEvaluate(run: SuiteRun): Promise<Outcome> {
  const { options, stack, say } = run;
  const { rounds, seconds } = options;
  say('do all engines agree?');
  const answersCompared = await checkAgreement();
  say(`they do, on ${answersCompared} carts`);
  const core = await measureCore(rounds, seconds, say);
  const combine = await measureCombine(rounds, seconds, say);
  const product = await Product.start(stack);
  const serve = await product.serve(stack);
  // Its evaluations run in worker threads, beside the main thread; an echo has one thread and needs no second core.
  unpinProcess(serve.process.pid);
  const { setting, answer } = await startService(product, serve);
  say('the service decides by its promotions');
  const rows = await startEvaluateContenders(serve, setting.checkoutToken, answer, stack);
  const contenders = await measureAll(rows, run);
  const peak = contenders.find(({ key }) => key === 'evaluate_grpc')?.operationsPerSecond ?? 0;
  const beside = await measureBeside(setting, peak, rounds, run.window, say);
  const ratios = { ...coreRatios(core), ...combineRatios(combine), ...besideRatios(beside) };
  return { contenders, evaluate: { answersCompared, core, combine, beside, ratios } };
}
