/**
 * A connection of the HTTP port as long as only plain calls come on it, as is usual for services. Node's HTTP server spends as much on a
 * request as a claim takes without it: two streams, some twenty objects and events for a body that is there already. Here a call
 * is the bytes that came and a string that goes. At the first request that is anything else, the connection is node's, for good.
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type HttpExchange, HttpUnaryCall } from './http-unary-call.ts';
import type { Invoker } from './invoke.ts';
import type { Method } from './method.ts';
import { headLength, type PlainHead, readPlainHead } from './plain-head.ts';
import type { PeerOf } from './tls.ts';

/** Limits in seconds; a connection that passes one is cut. */
export interface ConnectionLimits {
  /** From the connection to its first request. */
  readonly firstRequest: number;
  /** From the first byte of a request to the last. */
  readonly wholeRequest: number;
  /** From an answer to the next request. */
  readonly keepAlive: number;
}

/** What connections share. */
export interface PlainPorts {
  readonly methods: ReadonlyMap<string, Method>;
  readonly invoker: Invoker;
  readonly peerOf: PeerOf;
  readonly limits: ConnectionLimits;
  /** The date as answers give it. */
  readonly date: () => string;
  /** Whether answers shall ask for another connection, and close this one. */
  readonly isShedding: () => boolean;
  /** Node's server takes the connection over, with the bytes that were read put back. */
  readonly handOver: (socket: Socket) => void;
  readonly closed: (connection: PlainConnection) => void;
}

/** A head that came, which callers repeat byte by byte, and what it means. */
interface KnownHead {
  readonly bytes: Buffer;
  readonly head: PlainHead;
  readonly method: Method;
}

/**
 * Answers up to this size leave in one write with their header, as text: every byte is a character of latin1. Two chunks cost a
 * gathered write and its bookkeeping.
 */
const ONE_WRITE_BYTES = 4_096;

/** Heads up to this size are remembered, one for each connection. */
const REMEMBERED_BYTES = 4_096;

/** One connection. Requests are served one after the other; those sent ahead wait, unread as far as can be. */
export class PlainConnection implements HttpExchange {
  readonly #ports: PlainPorts;
  readonly #socket: Socket;
  #known: KnownHead | undefined;
  /** Being read or answered. */
  #call: HttpUnaryCall | undefined;
  #isBodyWanted = false;
  /** Bytes of the request's body that have not come. They may come after its answer, and are dropped then. */
  #missingBytes = 0;
  #unread: Buffer | undefined;
  #isReading = false;
  #hasServed = false;
  #secondsSinceChange = 0;

  constructor(socket: Socket, ports: PlainPorts) {
    this.#socket = socket;
    this.#ports = ports;
    socket.on('data', this.#onData);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('error', ignore);
    socket.on('close', this.#onClose);
  }

  /** Whether no call is under way. */
  get isIdle(): boolean {
    return this.#call === undefined;
  }

  /** A second has passed. */
  tick(): void {
    this.#secondsSinceChange += 1;
    const { limits } = this.#ports;
    // A call that has come whole has a deadline of its own.
    if (this.#missingBytes === 0 && this.#call !== undefined) return;
    const idle = this.#hasServed ? limits.keepAlive : limits.firstRequest;
    if (this.#secondsSinceChange > (this.#missingBytes > 0 ? limits.wholeRequest : idle)) this.cut();
  }

  /** Ends the connection at once. */
  cut(): void {
    this.#socket.destroy();
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#unread = this.#unread === undefined ? bytes : Buffer.concat([this.#unread, bytes]);
    this.#read();
  };

  readonly #onDrain = (): void => this.#read();

  /** The other side has said all it wanted; like node's server, we do not answer into a half-closed connection. */
  readonly #onEnd = (): void => {
    this.#socket.end();
  };

  readonly #onClose = (): void => {
    this.#ports.closed(this);
    this.#call?.abandon();
  };

  /** Takes what has come as far as it can be taken; nothing more is read from the connection while some of it waits. */
  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    for (let bytes = this.#next(); bytes !== undefined; bytes = this.#next()) {
      this.#unread = undefined;
      if (this.#missingBytes > 0) this.#takeBody(bytes);
      else if (!this.#begin(bytes)) return;
    }
    this.#isReading = false;
    if (this.#unread !== undefined) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #next(): Buffer | undefined {
    if (this.#socket.writableNeedDrain || !this.#socket.writable) return undefined;
    if (this.#call === undefined) return this.#unread;
    return this.#missingBytes > 0 && this.#isBodyWanted ? this.#unread : undefined;
  }

  /** Begins the call the bytes start with; false when the connection is ours no more. */
  #begin(bytes: Buffer): boolean {
    const known = this.#recognise(bytes) ?? this.#learn(bytes);
    if (known === undefined) {
      this.#handOver(bytes);
      return false;
    }
    const { head, method } = known;
    const { invoker, peerOf } = this.#ports;
    const length = known.bytes.length;
    this.#unread = bytes.length > length ? bytes.subarray(length) : undefined;
    this.#missingBytes = head.contentLength;
    this.#isBodyWanted = false;
    this.#hasServed = true;
    this.#secondsSinceChange = 0;
    const call = new HttpUnaryCall(head, method, this, invoker.options.clock(), peerOf(this.#socket));
    this.#call = call;
    call.begin(invoker);
    return true;
  }

  #recognise(bytes: Buffer): KnownHead | undefined {
    const known = this.#known;
    if (known === undefined || bytes.length < known.bytes.length) return undefined;
    return bytes.compare(known.bytes, 0, known.bytes.length, 0, known.bytes.length) === 0 ? known : undefined;
  }

  #learn(bytes: Buffer): KnownHead | undefined {
    const length = headLength(bytes);
    const head = length === undefined ? undefined : readPlainHead(bytes.subarray(0, length));
    const method = head && this.#ports.methods.get(head.path);
    if (head === undefined || method === undefined) return undefined;
    const known = { bytes: Buffer.from(bytes.subarray(0, length)), head, method };
    if (known.bytes.length <= REMEMBERED_BYTES) this.#known = known;
    return known;
  }

  #takeBody(bytes: Buffer): void {
    const missing = this.#missingBytes;
    if (bytes.length > missing) this.#unread = bytes.subarray(missing);
    const part = bytes.length > missing ? bytes.subarray(0, missing) : bytes;
    this.#missingBytes -= part.length;
    this.#call?.take(part);
  }

  readBody(): void {
    this.#isBodyWanted = true;
    if (this.#unread !== undefined) this.#read();
  }

  answer(status: number, contentType: string, body: Uint8Array): void {
    this.#call = undefined;
    this.#secondsSinceChange = 0;
    if (!this.#socket.writable) return;
    const isLast = this.#ports.isShedding();
    this.#write(this.#headOf(status, contentType, body.length, isLast), body);
    if (isLast) this.#socket.destroySoon();
    else if (this.#unread !== undefined) this.#read();
  }

  #headOf(status: number, contentType: string, length: number, isLast: boolean): string {
    const connection = isLast ? 'close' : `keep-alive\r\nKeep-Alive: timeout=${this.#ports.limits.keepAlive}`;
    return (
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: ${contentType}\r\n` +
      `content-length: ${length}\r\nDate: ${this.#ports.date()}\r\nConnection: ${connection}\r\n\r\n`
    );
  }

  #write(head: string, body: Uint8Array): void {
    const socket = this.#socket;
    if (body.length <= ONE_WRITE_BYTES) {
      socket.write(head + latin1Of(body), 'latin1');
      return;
    }
    socket.cork();
    socket.write(head, 'latin1');
    socket.write(body);
    socket.uncork();
  }

  #handOver(bytes: Buffer): void {
    const socket = this.#socket;
    socket.off('data', this.#onData);
    socket.off('drain', this.#onDrain);
    socket.off('end', this.#onEnd);
    socket.off('error', ignore);
    socket.off('close', this.#onClose);
    this.#ports.closed(this);
    socket.pause();
    socket.unshift(bytes);
    this.#ports.handOver(socket);
    socket.resume();
  }
}

function ignore(): void {
  // The connection closes by itself after an error.
}

function latin1Of(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1');
}
