/** The connections of the HTTP port that have had nothing but plain calls so far, and their time limits. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { type ConnectionLimits, PlainConnection, type PlainPorts } from './plain-connection.ts';

/** Limits of connections are looked at this often, with one timer for all. */
const TICK_MS = 1_000;

/** What serving them needs. */
export interface PlainServing extends Pick<PlainPorts, 'methods' | 'invoker' | 'peerOf' | 'isShedding'> {
  readonly limits: ConnectionLimits;
}

/** Serves plain calls on the connections of a server of node's, and leaves to it those that anything else comes on. */
export class PlainConnections {
  readonly #open = new Set<PlainConnection>();
  readonly #ports: PlainPorts;
  #date = dateNow();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param event the event of `server` that tells of a connection requests may come on
   * @throws Error when node's server does not serve connections by the first listener of that event
   */
  constructor(server: Server, event: 'connection' | 'secureConnection', serving: PlainServing) {
    const [serve, ...others] = server.listeners(event);
    if (serve?.length !== 1)
      throw new Error('this version of node serves connections differently: see plain-connections.ts');
    this.#ports = {
      ...serving,
      date: () => this.#date,
      handOver: (socket) => serve.call(server, socket),
      closed: (connection) => this.#open.delete(connection),
    };
    server.removeAllListeners(event);
    server.on(event, (socket: Socket) => this.#take(socket));
    for (const other of others) server.on(event, (socket: Socket) => other.call(server, socket));
    server.on('listening', () => this.#begin());
  }

  #begin(): void {
    this.#date = dateNow();
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  #take(socket: Socket): void {
    if (!socket.destroyed) this.#open.add(new PlainConnection(socket, this.#ports));
  }

  #tick(): void {
    this.#date = dateNow();
    for (const connection of this.#open) connection.tick();
  }

  /** Cuts connections without a call; the others close with their answer, since by now answers are shed. No connection may come any more. */
  close(): void {
    clearInterval(this.#timer);
    for (const connection of this.#open) if (connection.isIdle) connection.cut();
  }

  /** Cuts all connections. */
  cut(): void {
    for (const connection of this.#open) connection.cut();
  }
}

function dateNow(): string {
  return new Date().toUTCString();
}
