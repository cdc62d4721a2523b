/** Evaluations through the whole service, and the floor: the same messages through the gRPC library alone. */
import type { ServeProcess } from '../product/product.ts';
import { EVALUATE_PATH } from './cart-messages.ts';
import { type Contender, type ContenderKey, SERVER_GROUP, type Side, toMeasurement } from './contender.ts';
import { GRPCJS_ECHO, startEcho } from './echoes.ts';
import { evaluateJob, lightRequests } from './evaluate-loads.ts';
import { runLoad } from './run-load.ts';

/** Both rows. `answer` is one of the service's own, for the echo to give. */
export async function startEvaluateContenders(
  serve: ServeProcess,
  token: string,
  answer: Buffer,
  stack: AsyncDisposableStack,
): Promise<Contender[]> {
  const key = 'echo_grpcjs_cart';
  const echo = await startEcho({ key, file: GRPCJS_ECHO, path: EVALUATE_PATH }, answer, stack);
  const title = 'ours: EvaluateCart of 20 lines, gRPC';
  return [
    contender('evaluate_grpc', title, 'ours', token, { pid: serve.process.pid, port: serve.grpcPort }),
    contender(key, 'no-op echo of the same messages, grpc-js', 'floor', token, echo),
  ];
}

function contender(
  key: ContenderKey,
  title: string,
  side: Side,
  token: string,
  { pid, port }: { readonly pid: number; readonly port: number },
): Contender {
  const requests = lightRequests();
  const watch = [{ name: SERVER_GROUP, pids: [pid] }];
  return {
    key,
    title,
    side,
    unit: 'cart',
    measure: async (window) =>
      toMeasurement(await runLoad(evaluateJob(requests, { port, token, window, watch }))),
  };
}
