/** What operations leave in both stores. */
import { Product } from '../product/product.ts';
import { Promotions } from '../product/promotions.ts';
import { measureSizes } from '../sizes/measure-sizes.ts';
import type { Outcome } from './outcome.ts';
import type { SuiteRun } from './suite.ts';

const SCALE = { users: 30_000, orders: 3_000, backlogEvents: 100_000 };
const QUICK_SCALE = { users: 10_000, orders: 500, backlogEvents: 20_000 };

/** Sizes, the backlog of an archive that was away, and the audit. */
export async function runSizes({ options, stack, say }: SuiteRun): Promise<Outcome> {
  const product = await Product.start(stack);
  const serve = await product.serve(stack);
  const promotions = new Promotions(serve.httpPort, product.tokens.admin);
  say('the product is ready');
  const scale = options.quick ? QUICK_SCALE : SCALE;
  const sizes = await measureSizes({ product, serve, promotions, scale, say });
  say('audit');
  return { contenders: [], sizes, audit: await product.audit() };
}
