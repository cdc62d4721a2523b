/** The floors: servers that do nothing but answer, measured with the same headers and message sizes as the product. */
import { fileURLToPath } from 'node:url';
import { ANSWER_VARIABLE, PATH_VARIABLE } from '../echoes/echo-process.ts';
import { NodeProcess } from '../processes/node-process.ts';
import { SERVER_CORE } from '../processes/pinning.ts';
import { CLAIM_PATH } from './claim-messages.ts';
import { type Contender, type ContenderKey, SERVER_GROUP, toMeasurement } from './contender.ts';
import { type LoadShape, type Loads, runShape } from './loads.ts';

/** A running echo, and the row of the report it is. */
export interface Echo {
  readonly contender: Contender;
  readonly port: number;
}

interface EchoKind {
  readonly key: ContenderKey;
  readonly title: string;
  readonly file: URL;
  readonly shape: LoadShape;
}

/** The program of the echo on grpc-js. */
export const GRPCJS_ECHO = new URL('../echoes/grpcjs-echo.ts', import.meta.url);

const ECHOES: readonly EchoKind[] = [
  {
    key: 'echo_grpcjs',
    title: 'no-op echo, grpc-js',
    file: GRPCJS_ECHO,
    shape: 'grpc',
  },
  {
    key: 'echo_http',
    title: 'no-op echo, bare node:http',
    file: new URL('../echoes/http-echo.ts', import.meta.url),
    shape: 'connect',
  },
  {
    key: 'echo_connect_node',
    title: 'no-op echo, connect-node adapter',
    file: new URL('../echoes/connect-node-echo.ts', import.meta.url),
    shape: 'connect',
  },
];

/** Starts all echoes with this answer; the stack ends them. */
export async function startEchoes(
  answer: Buffer,
  loads: Loads,
  stack: AsyncDisposableStack,
): Promise<Echo[]> {
  const echoes: Echo[] = [];
  for (const kind of ECHOES) {
    const { pid, port } = await startEcho({ ...kind, path: CLAIM_PATH }, answer, stack);
    echoes.push({ contender: echoContender(kind, pid, port, loads), port });
  }
  return echoes;
}

/** Starts one echo process that gives this answer to every call of the path; the stack ends it. */
export async function startEcho(
  { key, file, path }: { readonly key: ContenderKey; readonly file: URL; readonly path: string },
  answer: Buffer,
  stack: AsyncDisposableStack,
): Promise<{ pid: number; port: number }> {
  const echo = stack.use(
    new NodeProcess({
      name: key,
      file: fileURLToPath(file),
      core: SERVER_CORE,
      environment: { [ANSWER_VARIABLE]: answer.toString('base64'), [PATH_VARIABLE]: path },
    }),
  );
  const { port }: { port: number } = JSON.parse(await echo.firstLine());
  return { pid: echo.pid, port };
}

function echoContender({ key, title, shape }: EchoKind, pid: number, port: number, loads: Loads): Contender {
  const watch = [{ name: SERVER_GROUP, pids: [pid] }];
  return {
    key,
    title,
    side: 'floor',
    unit: 'call',
    measure: async (window) => toMeasurement(await runShape(loads, shape, { port, watch, window })),
  };
}
