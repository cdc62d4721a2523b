/**
 * What traces cost: claims one by one over gRPC, the cheapest call there is, on serving processes that record none, a hundredth or all of
 * them, in turns within each round.
 */
import { createServer } from 'node:http';
import { closeServer, listen } from '../../src/transport/http-server.ts';
import { freePort } from '../../tools/servers/free-port.ts';
import { type Contender, SERVER_GROUP, toMeasurement } from '../contenders/contender.ts';
import { Loads, runShape } from '../contenders/loads.ts';
import { createPromotions, OPEN_PROMOTION } from '../contenders/product-contenders.ts';
import { Product, type ServeProcess } from '../product/product.ts';
import { Promotions } from '../product/promotions.ts';
import { waitUntilArchived } from '../product/wait-until-archived.ts';
import type { Outcome } from './outcome.ts';
import { measureAll, type SuiteRun } from './suite.ts';

const DRAIN_LIMIT_MS = 60_000;

type Kind = Pick<Contender, 'key' | 'title'> & { readonly settings: Readonly<Record<string, string>> };

/** All kinds, in one product; nothing else runs. */
export async function runTracing(run: SuiteRun): Promise<Outcome> {
  const { stack, say } = run;
  const product = await Product.start(stack);
  const kinds = kindsOf(await startCollector(stack), await freePort());
  const first = await product.serve(stack);
  const promotions = new Promotions(first.httpPort, product.tokens.admin);
  await createPromotions(promotions, product.tokens.gateway);
  const loads = new Loads(OPEN_PROMOTION, product.tokens.gateway);
  const contenders: Contender[] = [];
  for (const kind of kinds) {
    const serve = await product.serve(stack, kind.settings);
    contenders.push(contenderOf(kind, { product, serve, promotions, loads }));
  }
  say('the product is ready');
  return { contenders: await measureAll(contenders, run), audit: await product.audit() };
}

function kindsOf(collectorPort: number, emptyPort: number): readonly Kind[] {
  const tracing = (port: number, share: string) => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    HONGBAO_TRACING_SAMPLE_RATIO: share,
  });
  return [
    { key: 'untraced_grpc', title: 'traces off', settings: {} },
    { key: 'traced_none_grpc', title: 'on, none recorded', settings: tracing(collectorPort, '0') },
    { key: 'traced_hundredth_grpc', title: 'on, 1 % recorded', settings: tracing(collectorPort, '0.01') },
    { key: 'traced_all_grpc', title: 'on, all recorded', settings: tracing(collectorPort, '1') },
    { key: 'traced_lost_grpc', title: 'on, all recorded, no collector', settings: tracing(emptyPort, '1') },
  ];
}

interface Setting {
  readonly product: Product;
  readonly serve: ServeProcess;
  readonly promotions: Promotions;
  readonly loads: Loads;
}

function contenderOf({ key, title }: Kind, { product, serve, promotions, loads }: Setting): Contender {
  const watch = [{ name: SERVER_GROUP, pids: [serve.process.pid] }, ...product.ledgerProcesses];
  return {
    key,
    title: `ours: ClaimCoupon, gRPC, ${title}`,
    side: 'ours',
    unit: 'claim',
    measure: async (window) => {
      const result = await runShape(loads, 'grpc', { port: serve.grpcPort, watch, window });
      await waitUntilArchived(product, promotions, OPEN_PROMOTION, DRAIN_LIMIT_MS);
      return toMeasurement(result);
    },
  };
}

/** Takes everything and keeps nothing. Gives its port. */
async function startCollector(stack: AsyncDisposableStack): Promise<number> {
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => response.writeHead(200).end());
  });
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  stack.defer(async () => {
    const closed = closeServer(server);
    server.closeAllConnections();
    await closed;
  });
  return port;
}
