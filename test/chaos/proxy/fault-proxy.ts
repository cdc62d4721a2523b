/** A TCP proxy on 127.0.0.1 between the product and one store, which can do to the connections what networks do. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Direction, Link } from './link.ts';
import { type Slowness, Weather } from './weather.ts';

/** How to start a proxy. */
export interface FaultProxyOptions {
  readonly targetPort: number;
  /** Absent = any free port. */
  readonly port?: number;
  /** 0 ≤ x < 1; decides jitter. */
  readonly random: () => number;
}

/** Undoes what a proxy was told to do. */
export type Undo = () => void;

/**
 * A running proxy. Faults touch the product's connections only: links between stores (replication, sentinels) that go
 * through the same port are left alone, except by {@link FaultProxy.cut}.
 */
export class FaultProxy {
  readonly port: number;
  private readonly server: Server;
  private readonly weather: Weather;
  private readonly links = new Set<Link>();
  private isCut = false;
  private isUnwanted: ((link: Link) => boolean) | undefined;

  private constructor(server: Server, port: number, weather: Weather) {
    this.server = server;
    this.port = port;
    this.weather = weather;
  }

  /** Listens; resolves once connections are accepted. */
  static async start({ targetPort, port = 0, random }: FaultProxyOptions): Promise<FaultProxy> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const ownPort = typeof address === 'object' && address !== null ? address.port : 0;
    const proxy = new FaultProxy(server, ownPort, new Weather(random));
    server.on('connection', (client) => proxy.join(client, targetPort));
    return proxy;
  }

  /** Replies swallowed since the start. */
  get lostReplies(): number {
    return this.weather.lost;
  }

  /** The product's connections that are open now. */
  get openLinks(): number {
    return this.clientLinks().length;
  }

  /** The next replies are carried out by the store, swallowed here, and their connections reset. */
  loseReplies(times: number): Undo {
    this.weather.lose(times);
    return () => this.weather.lose(0);
  }

  /** Resets every connection of the product; answers how many. */
  resetAll(): number {
    const links = this.clientLinks();
    for (const link of links) link.reset();
    return links.length;
  }

  /**
   * The connections of this moment go silent both ways and neither side learns of it; new ones work. After the undo, what
   * was under way arrives `late`, or never.
   */
  darken(late: boolean): Undo {
    const links = this.clientLinks();
    for (const link of links) link.darken();
    return () => {
      for (const link of links) link.lighten(late);
    };
  }

  /** Everything takes longer. */
  slow(slowness: Slowness): Undo {
    this.weather.slow(slowness);
    return () => this.weather.slow(undefined);
  }

  /** Keeps one direction back; `onHeld` is called whenever something waits there. */
  hold(direction: Direction, onHeld: () => void = () => undefined): Undo {
    this.weather.hold(direction, true);
    this.weather.onHeld = onHeld;
    return () => {
      this.weather.hold(direction, false);
      this.weather.onHeld = () => undefined;
      for (const link of this.links) link.resume();
    };
  }

  /** Nobody gets through, other stores included, and new connections are reset: the node is cut off. */
  cut(): Undo {
    this.isCut = true;
    for (const link of this.links) link.reset();
    return () => {
      this.isCut = false;
    };
  }

  /** Other stores do not get through, while the product does: the node is on the small side of a split network. */
  cutPeers(): Undo {
    return this.refuse((link) => link.isPeer === true);
  }

  /** Resets connections, those of now and of later, whose first bytes please `isUnwanted`. */
  refuseGreeting(isUnwanted: (greeting: Buffer) => boolean): Undo {
    return this.refuse(({ greeting }) => greeting !== undefined && isUnwanted(greeting));
  }

  /** Ends every connection and stops listening. */
  async close(): Promise<void> {
    this.isCut = true;
    for (const link of this.links) link.reset();
    const closed = once(this.server, 'close');
    this.server.close();
    await closed;
  }

  private refuse(isUnwanted: (link: Link) => boolean): Undo {
    this.isUnwanted = isUnwanted;
    for (const link of this.links) this.checkWanted(link);
    return () => {
      this.isUnwanted = undefined;
    };
  }

  private checkWanted(link: Link): void {
    if (this.isUnwanted?.(link) === true) link.reset();
  }

  private clientLinks(): Link[] {
    return [...this.links].filter((link) => link.isPeer !== true);
  }

  private join(client: Socket, targetPort: number): void {
    client.on('error', () => undefined);
    if (this.isCut) {
      client.resetAndDestroy();
      return;
    }
    const store = connect(targetPort, '127.0.0.1');
    const link = new Link(client, store, this.weather, (greeted) => this.checkWanted(greeted));
    this.links.add(link);
    client.on('close', () => this.links.delete(link));
  }
}
