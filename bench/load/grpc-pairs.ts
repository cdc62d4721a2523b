/**
 * Pairs of unary gRPC calls: the second one, of the same user and order, leaves when the first is answered. A pair is one
 * operation, its latency that of both together.
 */
import { grpcPrefix } from './grpc-frame.ts';
import type { Header } from './http2/header-decoder.ts';
import type { LoadJob } from './job.ts';
import { type Call, Lane } from './lane.ts';
import type { LoadDriver } from './load-driver.ts';
import type { Recorder } from './recorder.ts';
import { type Population, RequestSource, type RequestTemplate } from './template.ts';

/** Makes the driver of a measurement of pairs. */
export function createGrpcPairLoad(job: LoadJob, recorder: Recorder): LoadDriver {
  return new GrpcPairLoad(job, recorder);
}

interface Pair {
  readonly first: Lane;
  readonly second: Lane;
}

class GrpcPairLoad implements LoadDriver {
  readonly #job: LoadJob;
  readonly #recorder: Recorder;
  readonly #first: RequestSource;
  readonly #second: RequestSource;
  readonly #pairs: readonly Pair[];
  #started = 0;
  #stopped = false;

  constructor(job: LoadJob, recorder: Recorder) {
    const { followUp } = job;
    if (followUp === undefined) throw new Error('a load of pairs needs a second call');
    this.#job = job;
    this.#recorder = recorder;
    this.#first = sourceOf(job.template, job.population);
    this.#second = sourceOf(followUp.template, job.population);
    this.#pairs = Array.from({ length: job.connections }, (_, index) => this.#open(index, followUp));
  }

  get inFlight(): number {
    return this.#pairs.reduce((sum, { first, second }) => sum + first.inFlight + second.inFlight, 0);
  }

  get started(): number {
    return this.#started;
  }

  startClosedLoop(): void {
    for (let round = 0; round < this.#job.inFlightPerConnection; round += 1) {
      for (const pair of this.#pairs) this.#start(pair.first);
    }
  }

  startCall(): void {
    throw new Error('pairs run as fast as answers come; a fixed rate is only made with single calls');
  }

  stop(): void {
    this.#stopped = true;
  }

  destroy(): void {
    for (const { first, second } of this.#pairs) {
      first.destroy();
      second.destroy();
    }
  }

  #open(index: number, followUp: NonNullable<LoadJob['followUp']>): Pair {
    const target = this.#job.targets[index % this.#job.targets.length];
    if (target === undefined) throw new Error('a load needs a target');
    const second: Lane = new Lane(
      { ...target, path: followUp.path },
      followUp.headers,
      false,
      (call, outcome, headers) => this.#end(first, call, outcome, headers),
    );
    const first: Lane = new Lane(target, this.#job.headers, false, (call, outcome, headers) => {
      if (outcome === this.#job.expectedOutcome) second.start(call, this.#second.of(call.serial));
      else this.#end(first, call, outcome, headers);
    });
    return { first, second };
  }

  #start(lane: Lane): void {
    const { coupons } = this.#job.population;
    if (this.#stopped || this.#started >= (coupons?.length ?? Number.POSITIVE_INFINITY)) return;
    this.#started += 1;
    const serial = this.#first.nextSerial;
    lane.start({ startedMs: performance.now(), serial, responseBytes: 0, pieces: [] }, this.#first.next());
  }

  #end(lane: Lane, call: Call, outcome: string, headers: readonly Header[]): void {
    const message = headers.find(([name]) => name === 'grpc-message')?.[1];
    this.#recorder.record(outcome, call.startedMs, 1, call.responseBytes, message);
    this.#start(lane);
  }
}

function sourceOf(template: RequestTemplate, population: Population): RequestSource {
  return new RequestSource(template, population, grpcPrefix(Buffer.from(template.base64, 'base64').length));
}
