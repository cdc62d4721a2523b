/**
 * Load over HTTP/1.1 with autocannon.
 *
 * autocannon rebuilds a whole request for every call whose body changes, which costs more than the servers measured here. So each
 * client keeps the one request autocannon built for it, and only the digits in its body are rewritten before it is sent again.
 * The old bytes have left by then: the answer to them has arrived. All connections go to the first target.
 */
import autocannon from 'autocannon';
import type { LoadJob } from './job.ts';
import type { LoadDriver } from './load-driver.ts';
import type { Recorder } from './recorder.ts';
import { RequestSource, userOfSerial } from './template.ts';

/** autocannon wants a duration; the load is stopped by hand long before. */
const LONGEST_RUN_SECONDS = 3_600;

/** Time an answer may take before autocannon counts a failure, in seconds. */
const TIMEOUT_SECONDS = 10;

type ClientWithBuffer = autocannon.Client & { getRequestBuffer(): Buffer };

/** Makes the driver of a measurement over HTTP/1.1. */
export function createConnectLoad(job: LoadJob, recorder: Recorder): LoadDriver {
  return new ConnectLoad(job, recorder);
}

class ConnectLoad implements LoadDriver {
  readonly #job: LoadJob;
  readonly #recorder: Recorder;
  readonly #body: Buffer;
  readonly #source: RequestSource;
  #instance: autocannon.Instance | undefined;
  #prepared = 0;
  #started = 0;
  #answered = 0;

  constructor(job: LoadJob, recorder: Recorder) {
    this.#job = job;
    this.#recorder = recorder;
    this.#body = Buffer.from(job.template.base64, 'base64');
    this.#source = new RequestSource(job.template, job.population);
  }

  /** Once stopped nothing is under way: autocannon closes its connections. */
  get inFlight(): number {
    return this.#instance === undefined ? 0 : this.#started - this.#answered;
  }

  get started(): number {
    return this.#started;
  }

  startClosedLoop(): void {
    const { targets, headers, connections, maxCalls } = this.#job;
    const [target] = targets;
    if (target === undefined) throw new Error('a load needs a target');
    const options: autocannon.Options = {
      url: `http://${target.host}:${target.port}${target.path}`,
      method: 'POST',
      headers: Object.fromEntries(headers),
      body: this.#body,
      connections,
      duration: LONGEST_RUN_SECONDS,
      timeout: TIMEOUT_SECONDS,
      skipAggregateResult: true,
      ...(maxCalls === undefined ? {} : { amount: maxCalls }),
      setupClient: (client) => this.#prepare(client),
    };
    // With a callback autocannon hands out the instance that can be stopped; its own figures are not used.
    this.#instance = autocannon(options, () => undefined);
    this.#instance.on('reqError', (error) => this.#onFailure(String(error)));
  }

  startCall(): void {
    throw new Error('load over HTTP/1.1 runs as fast as answers come; a fixed rate is only made over gRPC');
  }

  stop(): void {
    if (this.#job.maxCalls !== undefined) return;
    this.destroy();
  }

  destroy(): void {
    const instance = this.#instance;
    this.#instance = undefined;
    instance?.stop();
  }

  #prepare(client: autocannon.Client): void {
    if (!hasRequestBuffer(client)) throw new Error('this version of autocannon hides its request buffers');
    const request = client.getRequestBuffer();
    const bodyOffset = request.length - this.#body.length;
    const quota = this.#quotaOf(this.#prepared);
    this.#prepared += 1;
    let serial = this.#fill(request, bodyOffset);
    let filled = 1;
    client.on('response', (statusCode: number, responseBytes: number, durationMs: number) => {
      this.#onAnswer(String(statusCode), durationMs, responseBytes, serial);
      if (filled === quota) return;
      serial = this.#fill(request, bodyOffset);
      filled += 1;
    });
  }

  /** autocannon shares the calls out over its connections: as many for each, one more for the first ones. */
  #quotaOf(connection: number): number {
    const { maxCalls, connections } = this.#job;
    if (maxCalls === undefined) return Number.POSITIVE_INFINITY;
    return Math.floor(maxCalls / connections) + (connection < maxCalls % connections ? 1 : 0);
  }

  #fill(request: Buffer, bodyOffset: number): number {
    const serial = this.#source.nextSerial;
    this.#source.fill(request, bodyOffset);
    this.#started += 1;
    return serial;
  }

  #onAnswer(outcome: string, durationMs: number, responseBytes: number, serial: number): void {
    this.#answered += 1;
    this.#recorder.record(outcome, performance.now() - durationMs, this.#source.items, responseBytes);
    if (outcome === '200' && this.#job.keepsWinners === true) {
      this.#recorder.recordWinner(userOfSerial(serial, this.#job.population));
    }
  }

  #onFailure(reason: string): void {
    this.#recorder.record('connection failed', performance.now(), 0, 0, reason);
  }
}

function hasRequestBuffer(client: autocannon.Client): client is ClientWithBuffer {
  return 'getRequestBuffer' in client && typeof client.getRequestBuffer === 'function';
}
