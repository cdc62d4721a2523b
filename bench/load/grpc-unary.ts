/** Unary gRPC load over several connections, each with a fixed number of calls under way. */
import { countResults } from './claim-results.ts';
import { grpcPrefix, PREFIX_BYTES } from './grpc-frame.ts';
import type { Header } from './http2/header-decoder.ts';
import type { LoadJob } from './job.ts';
import { type Call, Lane } from './lane.ts';
import type { LoadDriver } from './load-driver.ts';
import { OPEN_LOOP_LIMIT } from './pacer.ts';
import type { Recorder } from './recorder.ts';
import { type Population, RequestSource, type RequestTemplate, userOfSerial } from './template.ts';

/** Makes the driver of a unary gRPC measurement. */
export function createGrpcUnaryLoad(job: LoadJob, recorder: Recorder): LoadDriver {
  return new GrpcUnaryLoad(job, recorder);
}

/** Share of its useful time that a call waits for room on a connection, as pools of connections bound it. */
const WAITING_SHARE = 0.3;

class GrpcUnaryLoad implements LoadDriver {
  readonly #job: LoadJob;
  readonly #recorder: Recorder;
  readonly #sources: readonly RequestSource[];
  readonly #lanes: Lane[] = [];
  /** When the calls were due that wait for room on a connection, in order; those before `#head` are gone. */
  #waiting: number[] = [];
  #head = 0;
  #turn = 0;
  #started = 0;
  #stopped = false;

  constructor(job: LoadJob, recorder: Recorder) {
    this.#job = job;
    this.#recorder = recorder;
    this.#sources = [job.template, ...(job.variants ?? [])].map((template, index) =>
      sourceOf(template, job.population, index),
    );
    for (let index = 0; index < job.connections; index += 1) this.#lanes.push(this.#openLane(index));
  }

  get inFlight(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.inFlight, 0);
  }

  get started(): number {
    return this.#started;
  }

  startClosedLoop(): void {
    for (let round = 0; round < this.#job.inFlightPerConnection; round += 1) {
      for (const lane of this.#lanes) this.#start(lane, performance.now());
    }
  }

  startCall(dueMs: number): void {
    if (
      this.#job.usefulMs === undefined &&
      this.inFlight + this.#waiting.length - this.#head >= OPEN_LOOP_LIMIT
    ) {
      this.#recorder.record('not started', dueMs, 0, 0, 'too many calls under way');
      return;
    }
    this.#waiting.push(dueMs);
    this.#startWaiting();
  }

  /**
   * Starts what waits, on one connection after the other, as clients of gRPC do: no connection carries more streams than the server
   * allows, and a call that waited too long for one is never sent.
   */
  #startWaiting(): void {
    const { usefulMs = Number.POSITIVE_INFINITY } = this.#job;
    const oldestMs = performance.now() - usefulMs * WAITING_SHARE;
    for (let lane = this.#nextLane(); lane !== undefined; ) {
      const dueMs = this.#nextWaiting();
      if (dueMs === undefined) return;
      if (dueMs > oldestMs) {
        this.#start(lane, dueMs);
        lane = this.#nextLane();
      } else {
        this.#recorder.record('never sent', dueMs, 0, 0, 'its time was up');
      }
    }
  }

  /** The next connection in turn that has room; undefined when none has. */
  #nextLane(): Lane | undefined {
    const { length } = this.#lanes;
    for (let tried = 0; tried < length; tried += 1) {
      const lane = this.#lanes[this.#turn % length];
      this.#turn += 1;
      if (lane?.hasRoom) return lane;
    }
    return undefined;
  }

  #nextWaiting(): number | undefined {
    const dueMs = this.#waiting[this.#head];
    this.#head += 1;
    if (this.#head < this.#waiting.length) return dueMs;
    this.#waiting = [];
    this.#head = 0;
    return dueMs;
  }

  stop(): void {
    this.#stopped = true;
  }

  destroy(): void {
    for (const lane of this.#lanes) lane.destroy();
  }

  #openLane(index: number): Lane {
    const target = this.#job.targets[index % this.#job.targets.length];
    if (target === undefined) throw new Error('a load needs a target');
    const keepsBody = this.#job.resultsField !== undefined;
    return new Lane(target, this.#job.headers, keepsBody, (call, outcome, headers) =>
      this.#onAnswer(index, call, outcome, headers),
    );
  }

  #start(lane: Lane, startedMs: number): void {
    if (this.#stopped || this.#started >= (this.#job.maxCalls ?? Number.POSITIVE_INFINITY)) return;
    const source = this.#sources[this.#started % this.#sources.length];
    this.#started += 1;
    if (source === undefined) throw new Error('a load needs a request');
    const serial = source.nextSerial;
    lane.start({ startedMs, serial, responseBytes: 0, pieces: [] }, source.next());
  }

  #onAnswer(index: number, call: Call, outcome: string, headers: readonly Header[]): void {
    const isExpected = outcome === this.#job.expectedOutcome;
    const { resultsField } = this.#job;
    const items = resultsField === undefined ? 1 : countClaimed(call, resultsField, this.#recorder);
    const failure = isExpected ? undefined : describe(headers);
    this.#recorder.record(outcome, call.startedMs, items, call.responseBytes, failure);
    if (outcome === '0' && this.#job.keepsWinners === true) {
      this.#recorder.recordWinner(userOfSerial(call.serial, this.#job.population));
    }
    if (this.#waiting.length > 0) this.#startWaiting();
    if (this.#job.callsPerSecond !== undefined || this.#stopped) return;
    const lane = this.#lanes[index];
    if (lane !== undefined) this.#start(lane, performance.now());
  }
}

/** Serial numbers set aside for each of several requests that are sent in turn. */
const SERIALS_PER_VARIANT = 10_000_000;

function sourceOf(template: RequestTemplate, population: Population, index: number): RequestSource {
  const firstSerial = population.firstSerial + index * SERIALS_PER_VARIANT;
  const messageBytes = Buffer.from(template.base64, 'base64').length;
  return new RequestSource(template, { ...population, firstSerial }, grpcPrefix(messageBytes));
}

/** Claims of this call that were accepted; a refused item is an error of its own. */
function countClaimed(call: Call, resultsField: number, recorder: Recorder): number {
  const { claimed, refused } = countResults(Buffer.concat(call.pieces).subarray(PREFIX_BYTES), resultsField);
  recorder.recordRefusedItems(refused);
  return claimed;
}

/** The message travels percent-encoded; one that is not well formed is shown as it came. */
function describe(headers: readonly Header[]): string {
  const message = headers.find(([name]) => name === 'grpc-message')?.[1] ?? '';
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
