/** One connection of a unary load, and the next one when the server asks to leave it. */
import { Http2Connection } from './http2/connection.ts';
import type { Header } from './http2/header-decoder.ts';
import type { Target } from './job.ts';

/** One call without an answer. */
export interface Call {
  readonly startedMs: number;
  readonly serial: number;
  responseBytes: number;
  /** Pieces of the answer, when its items are counted. */
  readonly pieces: Buffer[];
}

/** Told about the end of every call. */
export type OnAnswer = (call: Call, outcome: string, headers: readonly Header[]) => void;

/** Sends calls one connection's worth at a time and tells their ends. */
export class Lane {
  readonly #target: Target;
  readonly #headers: readonly Header[];
  readonly #onAnswer: OnAnswer;
  #connection: Http2Connection;
  readonly #keepsBody: boolean;
  #destroyed = false;
  #inFlight = 0;
  #calls = new Map<number, Call>();

  constructor(target: Target, headers: readonly Header[], keepsBody: boolean, onAnswer: OnAnswer) {
    this.#target = target;
    this.#headers = headers;
    this.#keepsBody = keepsBody;
    this.#onAnswer = onAnswer;
    this.#connection = this.#connect();
  }

  /** Calls without an answer. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The server takes another call on this connection. */
  get hasRoom(): boolean {
    return this.#inFlight < this.#connection.streamsAllowed;
  }

  /** Sends a call. */
  start(call: Call, message: Buffer): void {
    this.#inFlight += 1;
    this.#calls.set(this.#connection.request(message, true), call);
  }

  /** Closes the connection; calls under way end as failed. */
  destroy(): void {
    this.#destroyed = true;
    this.#connection.destroy();
  }

  #connect(): Http2Connection {
    const calls = new Map<number, Call>();
    this.#calls = calls;
    const end = (streamId: number, outcome: string, headers: readonly Header[]): void => {
      const call = calls.get(streamId);
      if (call === undefined) return;
      calls.delete(streamId);
      connection.forget(streamId);
      this.#inFlight -= 1;
      this.#onAnswer(call, outcome, headers);
    };
    const connection = new Http2Connection(this.#target.host, this.#target.port, this.#headers, {
      data: (streamId, bytes) => this.#onData(calls.get(streamId), bytes),
      headers: (streamId, headers, ended) => {
        if (ended) end(streamId, grpcStatus(headers), headers);
      },
      reset: (streamId, code) => end(streamId, `reset ${code}`, []),
      goAway: () => this.#replace(connection),
      closed: () => {
        this.#replace(connection);
        for (const streamId of [...calls.keys()]) end(streamId, 'connection closed', []);
      },
    });
    return connection;
  }

  /** The bytes are a view of the socket's chunk, so what is kept is copied. */
  #onData(call: Call | undefined, bytes: Buffer): void {
    if (call === undefined) return;
    call.responseBytes += bytes.length;
    if (this.#keepsBody) call.pieces.push(Buffer.from(bytes));
  }

  #replace(connection: Http2Connection): void {
    if (connection === this.#connection && !this.#destroyed) this.#connection = this.#connect();
  }
}

function grpcStatus(headers: readonly Header[]): string {
  return headers.find(([name]) => name === 'grpc-status')?.[1] ?? 'no status';
}
