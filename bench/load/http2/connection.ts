/**
 * One HTTP/2 client connection, written for a load generator: requests are prepared bytes, and everything started while one chunk
 * of answers is read leaves in one write. node:http2's client costs more per call than some of the servers measured here,
 * which would make the generator the thing that is measured.
 */
import { connect, type Socket } from 'node:net';
import {
  CLIENT_PREFACE,
  decodeSettings,
  encodeFrame,
  encodeSettings,
  encodeWindowUpdate,
  FRAME_FLAG,
  FRAME_TYPE,
  FrameReader,
} from './frames.ts';
import { type Header, HeaderDecoder } from './header-decoder.ts';
import { encodeRequestHeaders, type RequestHeaderBlocks } from './header-encoder.ts';
import { SendWindow } from './send-window.ts';

const SETTING_CONCURRENT_STREAMS = 3;
const SETTING_INITIAL_WINDOW = 4;
const DEFAULT_WINDOW_BYTES = 65_535;

/** Largest window the standard allows: answers are never held back by this client. */
const RECEIVE_WINDOW_BYTES = 2 ** 31 - 1;

/** The window of the connection is filled up again after this many bytes. */
const REFILL_AFTER_BYTES = 2 ** 28;

/** What the owner of a connection is told. */
export interface ConnectionEvents {
  /** A piece of the answer; a view that is only good until the call returns. */
  data(streamId: number, bytes: Buffer): void;
  /** Headers or trailers; `ended` when nothing more follows on that stream. */
  headers(streamId: number, headers: readonly Header[], ended: boolean): void;
  /** The server gave up the stream without trailers. */
  reset(streamId: number, code: number): void;
  /** No new streams here, please: the server closes the connection when those under way are done. */
  goAway(): void;
  /** The connection is gone; every stream without an end has failed. */
  closed(error: Error | undefined): void;
}

/** A connection to one server; every request on it has the same headers. */
export class Http2Connection {
  readonly #socket: Socket;
  readonly #events: ConnectionEvents;
  readonly #blocks: RequestHeaderBlocks;
  readonly #decoder = new HeaderDecoder();
  readonly #window = new SendWindow(DEFAULT_WINDOW_BYTES, (frame) => this.#output.push(frame));
  #output: Buffer[] = [];
  #reading = false;
  #nextStreamId = 1;
  #receivedBytes = 0;
  #headerFragments: Buffer[] = [];
  /** Requests that the server allows at a time. */
  streamsAllowed = Number.POSITIVE_INFINITY;

  constructor(host: string, port: number, headers: readonly Header[], events: ConnectionEvents) {
    this.#events = events;
    this.#blocks = encodeRequestHeaders(headers);
    this.#socket = connect({ host, port, noDelay: true });
    this.#listen();
    this.#output.push(CLIENT_PREFACE);
    const settings = encodeSettings([[SETTING_INITIAL_WINDOW, RECEIVE_WINDOW_BYTES]]);
    this.#output.push(encodeFrame(FRAME_TYPE.settings, 0, 0, settings));
    this.#output.push(encodeWindowUpdate(0, RECEIVE_WINDOW_BYTES - DEFAULT_WINDOW_BYTES));
    this.flush();
  }

  /** Opens a stream, sends `message` as its first data and returns its id. */
  request(message: Buffer, ends: boolean): number {
    const streamId = this.#nextStreamId;
    this.#nextStreamId += 2;
    const block = streamId === 1 ? this.#blocks.first : this.#blocks.repeated;
    this.#output.push(encodeFrame(FRAME_TYPE.headers, FRAME_FLAG.endHeaders, streamId, block));
    this.#window.open(streamId);
    this.send(streamId, message, ends);
    return streamId;
  }

  /** Sends more data on an open stream, as soon as the server's windows allow. */
  send(streamId: number, message: Buffer, ends: boolean): void {
    this.#window.send(streamId, message, ends);
    if (!this.#reading) this.flush();
  }

  /** Forgets a stream that has ended. */
  forget(streamId: number): void {
    this.#window.close(streamId);
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Writes what has been collected. Calls made while answers are read are flushed at the end of that chunk. */
  flush(): void {
    const [only, second] = this.#output;
    if (only === undefined || this.#socket.destroyed) return;
    this.#socket.write(second === undefined ? only : Buffer.concat(this.#output));
    this.#output = [];
  }

  #listen(): void {
    const reader = new FrameReader((type, flags, streamId, payload) =>
      this.#onFrame(type, flags, streamId, payload),
    );
    let failure: Error | undefined;
    this.#socket.on('data', (chunk: Buffer) => {
      this.#reading = true;
      reader.read(chunk);
      this.#reading = false;
      this.flush();
    });
    this.#socket.on('error', (error) => {
      failure = error;
    });
    this.#socket.on('close', () => this.#events.closed(failure));
  }

  #onFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (type === FRAME_TYPE.data) this.#onData(flags, streamId, payload);
    else if (type === FRAME_TYPE.headers) this.#onHeaders(flags, streamId, withoutPadding(flags, payload));
    else if (type === FRAME_TYPE.continuation) this.#onHeaders(flags, streamId, payload);
    else if (type === FRAME_TYPE.windowUpdate) this.#window.grow(streamId, payload.readUInt32BE(0));
    else if (type === FRAME_TYPE.settings) this.#onSettings(flags, payload);
    else if (type === FRAME_TYPE.ping) this.#onPing(flags, payload);
    else if (type === FRAME_TYPE.resetStream) this.#events.reset(streamId, payload.readUInt32BE(0));
    else if (type === FRAME_TYPE.goAway) this.#events.goAway();
  }

  #onData(flags: number, streamId: number, payload: Buffer): void {
    this.#receivedBytes += payload.length;
    if (this.#receivedBytes > REFILL_AFTER_BYTES) {
      this.#output.push(encodeWindowUpdate(0, this.#receivedBytes));
      this.#receivedBytes = 0;
    }
    if (payload.length > 0) this.#events.data(streamId, payload);
    if (flags & FRAME_FLAG.endStream) this.#events.headers(streamId, [], true);
  }

  /** END_STREAM stands on the HEADERS frame even when CONTINUATION frames follow; servers here never split trailers. */
  #onHeaders(flags: number, streamId: number, fragment: Buffer): void {
    this.#headerFragments.push(fragment);
    if ((flags & FRAME_FLAG.endHeaders) === 0) return;
    const [only, second] = this.#headerFragments;
    const block = only !== undefined && second === undefined ? only : Buffer.concat(this.#headerFragments);
    this.#headerFragments = [];
    this.#events.headers(streamId, this.#decoder.decode(block), (flags & FRAME_FLAG.endStream) !== 0);
  }

  #onSettings(flags: number, payload: Buffer): void {
    if (flags & FRAME_FLAG.ack) return;
    const settings = decodeSettings(payload);
    this.streamsAllowed = settings.get(SETTING_CONCURRENT_STREAMS) ?? this.streamsAllowed;
    const initialWindow = settings.get(SETTING_INITIAL_WINDOW);
    if (initialWindow !== undefined) this.#window.setInitial(initialWindow);
    this.#output.push(encodeFrame(FRAME_TYPE.settings, FRAME_FLAG.ack, 0, Buffer.alloc(0)));
  }

  #onPing(flags: number, payload: Buffer): void {
    if ((flags & FRAME_FLAG.ack) === 0) {
      this.#output.push(encodeFrame(FRAME_TYPE.ping, FRAME_FLAG.ack, 0, payload));
    }
  }
}

function withoutPadding(flags: number, payload: Buffer): Buffer {
  const paddingBytes = flags & FRAME_FLAG.padded ? payload.readUInt8(0) + 1 : 0;
  const start = (paddingBytes > 0 ? 1 : 0) + (flags & FRAME_FLAG.priority ? 5 : 0);
  return payload.subarray(start, payload.length - Math.max(0, paddingBytes - 1));
}
