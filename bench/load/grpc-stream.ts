/** Load over long bidirectional gRPC streams: one stream per connection, with a fixed number of messages under way on it. */
import { countResults, readSequence } from './claim-results.ts';
import { grpcPrefix, MessageReader } from './grpc-frame.ts';
import { Http2Connection } from './http2/connection.ts';
import type { Header } from './http2/header-decoder.ts';
import type { LoadJob } from './job.ts';
import type { LoadDriver } from './load-driver.ts';
import type { Recorder } from './recorder.ts';
import { RequestSource } from './template.ts';

/** Sequences start here and stay below 2^28, so that each takes four bytes and all messages have one length. */
const FIRST_SEQUENCE = 2 ** 21;

/** The field of StreamClaimCouponsResponse that holds the results. */
const RESULTS_FIELD = 2;

/** Makes the driver of a measurement over streams. */
export function createGrpcStreamLoad(job: LoadJob, recorder: Recorder): LoadDriver {
  return new GrpcStreamLoad(job, recorder);
}

class GrpcStreamLoad implements LoadDriver {
  readonly #job: LoadJob;
  readonly #recorder: Recorder;
  readonly #source: RequestSource;
  readonly #streams: ClaimStream[];
  #stopped = false;

  constructor(job: LoadJob, recorder: Recorder) {
    this.#job = job;
    this.#recorder = recorder;
    this.#source = new RequestSource(job.template, job.population, streamPrefix(job));
    this.#streams = Array.from({ length: job.connections }, (_, index) => this.#open(index));
  }

  get inFlight(): number {
    return this.#streams.reduce((sum, stream) => sum + stream.inFlight, 0);
  }

  get started(): number {
    return this.#streams.reduce((sum, stream) => sum + stream.started, 0);
  }

  startClosedLoop(): void {
    for (const stream of this.#streams) {
      for (let count = 0; count < this.#job.inFlightPerConnection; count += 1)
        stream.send(this.#source.next());
    }
  }

  startCall(): void {
    throw new Error(
      'load over streams runs as fast as answers come; a fixed rate is only made with unary calls',
    );
  }

  stop(): void {
    this.#stopped = true;
  }

  destroy(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  #open(index: number): ClaimStream {
    const target = this.#job.targets[index % this.#job.targets.length];
    if (target === undefined) throw new Error('a load needs a target');
    return new ClaimStream(target.host, target.port, this.#job.headers, {
      answered: (stream, startedMs, message) => {
        const { claimed, refused } = countResults(message, RESULTS_FIELD);
        this.#recorder.record('0', startedMs, claimed, message.length);
        this.#recorder.recordRefusedItems(refused);
        if (!this.#stopped) stream.send(this.#source.next());
      },
      failed: (startedMs, reason) => this.#recorder.record('stream ended', startedMs, 0, 0, reason),
    });
  }
}

/** The bytes in front of the items: gRPC's prefix, and the sequence with room for four bytes. */
function streamPrefix(job: LoadJob): Buffer {
  const sequence = Buffer.from([0x08, 0, 0, 0, 0]);
  const itemBytes = Buffer.from(job.template.base64, 'base64').length;
  return Buffer.concat([grpcPrefix(sequence.length + itemBytes), sequence]);
}

interface StreamEvents {
  answered(stream: ClaimStream, startedMs: number, message: Buffer): void;
  failed(startedMs: number, reason: string): void;
}

/** One stream on a connection of its own. */
class ClaimStream {
  readonly #connection: Http2Connection;
  readonly #events: StreamEvents;
  readonly #startedMs = new Map<number, number>();
  #streamId: number | undefined;
  #nextSequence = FIRST_SEQUENCE;

  constructor(host: string, port: number, headers: readonly Header[], events: StreamEvents) {
    this.#events = events;
    const reader = new MessageReader((message) => this.#onMessage(message));
    this.#connection = new Http2Connection(host, port, headers, {
      data: (_streamId, bytes) => reader.read(bytes),
      headers: (_streamId, fields, ended) => {
        if (ended) this.#fail(fields.map((field) => field.join('=')).join(' '));
      },
      reset: (_streamId, code) => this.#fail(`reset ${code}`),
      goAway: () => undefined,
      closed: () => this.#fail('connection closed'),
    });
  }

  get inFlight(): number {
    return this.#startedMs.size;
  }

  get started(): number {
    return this.#nextSequence - FIRST_SEQUENCE;
  }

  send(message: Buffer): void {
    const sequence = this.#nextSequence;
    this.#nextSequence += 1;
    writeSequence(message, sequence);
    this.#startedMs.set(sequence, performance.now());
    if (this.#streamId === undefined) this.#streamId = this.#connection.request(message, false);
    else this.#connection.send(this.#streamId, message, false);
  }

  destroy(): void {
    this.#connection.destroy();
  }

  #onMessage(message: Buffer): void {
    const sequence = readSequence(message);
    const startedMs = this.#startedMs.get(sequence);
    if (startedMs === undefined) return;
    this.#startedMs.delete(sequence);
    this.#events.answered(this, startedMs, message);
  }

  #fail(reason: string): void {
    for (const startedMs of this.#startedMs.values()) this.#events.failed(startedMs, reason);
    this.#startedMs.clear();
  }
}

/** Writes a number of 2^21 to 2^28 as a varint behind gRPC's prefix and the field's tag. */
function writeSequence(message: Buffer, sequence: number): void {
  for (let index = 0; index < 4; index += 1) {
    const group = (sequence >> (7 * index)) & 0x7f;
    message[6 + index] = index < 3 ? group | 0x80 : group;
  }
}
