/** Finds the connection of a gRPC call by the address at its other end, which is all that grpc-js tells about it. */
import type { Socket } from 'node:net';
import type { Identity } from '../domain/identity.ts';
import { noPeers, type PeerOf } from './tls.ts';

/** A call that knows the address of its peer. */
interface Addressed {
  getPeer(): string;
}

/** The open connections of the gRPC server by address; none are noted where certificates play no part. */
export class PeersByAddress {
  readonly #peerOf: PeerOf;
  readonly #sockets = new Map<string, Socket>();

  constructor(peerOf: PeerOf) {
    this.#peerOf = peerOf;
  }

  /** Notes a connection until it closes. */
  add(socket: Socket): void {
    if (this.#peerOf === noPeers) return;
    // Written as grpc-js writes it.
    const address = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#sockets.set(address, socket);
    socket.once('close', () => {
      if (this.#sockets.get(address) === socket) this.#sockets.delete(address);
    });
  }

  /** Who is at the other end of the call. */
  find(call: Addressed): Identity | undefined {
    if (this.#peerOf === noPeers) return undefined;
    const socket = this.#sockets.get(call.getPeer());
    return socket && this.#peerOf(socket);
  }
}
