/** The shapes of load: how many connections, how much under way, which method. Equal for the product and its floors. */
import type { LoadJob, LoadResult } from '../load/job.ts';
import type { WatchedGroup } from '../processes/cpu-time.ts';
import {
  BATCH_PATH,
  BATCH_RESULTS_FIELD,
  batchTemplate,
  CLAIM_PATH,
  claimTemplate,
  connectHeaders,
  grpcHeaders,
  STREAM_PATH,
  streamTemplate,
} from './claim-messages.ts';
import type { Window } from './contender.ts';
import { runLoad } from './run-load.ts';

/** Calls under way over gRPC: connections times calls on each, as a fleet of gateways would have. */
export const GRPC_CONNECTIONS = 8;
export const GRPC_CALLS_PER_CONNECTION = 64;

/** Connections over HTTP/1.1, each with one call under way. */
export const HTTP_CONNECTIONS = 512;

/** Claims in one batch, and batches under way. */
export const BATCH_ITEMS = 256;
export const BATCH_CONNECTIONS = 4;
export const BATCHES_PER_CONNECTION = 2;

/** Claims in one message of a stream, and messages under way. */
export const STREAM_ITEMS = 16;
export const STREAM_CONNECTIONS = 8;
export const STREAM_MESSAGES_PER_CONNECTION = 16;

/** Serial numbers set aside for one measurement: more than any can use. */
const SERIALS_PER_MEASUREMENT = 1_000_000_000;

/** Kinds of load. */
export type LoadShape = 'grpc' | 'connect' | 'batch' | 'stream' | 'refused';

/** What all loads share: whose claims they are and of which promotion. No two loads use one user or request id. */
export class Loads {
  readonly promotionId: string;
  readonly token: string;
  #measurements = 0;

  constructor(promotionId: string, token: string) {
    this.promotionId = promotionId;
    this.token = token;
  }

  /** First serial number of a block nobody else uses. */
  reserveSerials(): number {
    this.#measurements += 1;
    return (this.#measurements - 1) * SERIALS_PER_MEASUREMENT;
  }
}

/** Where a load goes, who is watched, and for how long. */
export interface Aim {
  readonly port: number;
  readonly watch: readonly WatchedGroup[];
  readonly window: Window;
  /** Another promotion than that of the loads. */
  readonly promotionId?: string;
}

type Shape = Pick<
  LoadJob,
  | 'kind'
  | 'headers'
  | 'template'
  | 'connections'
  | 'inFlightPerConnection'
  | 'expectedOutcome'
  | 'resultsField'
> & { readonly path: string };

/** Runs a load of this shape in a generator of its own. */
export function runShape(loads: Loads, shape: LoadShape, aim: Aim): Promise<LoadResult> {
  return runLoad(shapeJob(loads, shape, aim));
}

/** The job of a load of this shape. */
export function shapeJob(loads: Loads, shape: LoadShape, aim: Aim): LoadJob {
  const { path, ...rest } = SHAPES[shape](aim.promotionId ?? loads.promotionId, loads.token);
  return {
    ...rest,
    targets: [{ host: '127.0.0.1', port: aim.port, path }],
    population: { firstSerial: loads.reserveSerials() },
    ...aim.window,
    watch: aim.watch,
  };
}

const SHAPES: Readonly<Record<LoadShape, (promotionId: string, token: string) => Shape>> = {
  grpc: unaryShape,
  refused: (promotionId, token) => ({ ...unaryShape(promotionId, token), expectedOutcome: '9' }),
  connect: (promotionId, token) => ({
    kind: 'connect',
    path: CLAIM_PATH,
    headers: connectHeaders(token),
    template: claimTemplate(promotionId),
    connections: HTTP_CONNECTIONS,
    inFlightPerConnection: 1,
    expectedOutcome: '200',
  }),
  batch: (promotionId, token) => ({
    kind: 'grpc-unary',
    path: BATCH_PATH,
    headers: grpcHeaders(BATCH_PATH, token),
    template: batchTemplate(promotionId, BATCH_ITEMS),
    connections: BATCH_CONNECTIONS,
    inFlightPerConnection: BATCHES_PER_CONNECTION,
    expectedOutcome: '0',
    resultsField: BATCH_RESULTS_FIELD,
  }),
  stream: (promotionId, token) => ({
    kind: 'grpc-stream',
    path: STREAM_PATH,
    headers: grpcHeaders(STREAM_PATH, token).filter(([name]) => name !== 'grpc-timeout'),
    template: streamTemplate(promotionId, STREAM_ITEMS),
    connections: STREAM_CONNECTIONS,
    inFlightPerConnection: STREAM_MESSAGES_PER_CONNECTION,
    expectedOutcome: '0',
  }),
};

function unaryShape(promotionId: string, token: string): Shape {
  return {
    kind: 'grpc-unary',
    path: CLAIM_PATH,
    headers: grpcHeaders(CLAIM_PATH, token),
    template: claimTemplate(promotionId),
    connections: GRPC_CONNECTIONS,
    inFlightPerConnection: GRPC_CALLS_PER_CONNECTION,
    expectedOutcome: '0',
  };
}
