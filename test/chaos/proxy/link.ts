/** One connection through the proxy: two sockets, and what is under way between them. */
import type { Socket } from 'node:net';
import type { Weather } from './weather.ts';

/** Which way bytes go. */
export type Direction = 'request' | 'reply';

interface Parcel {
  readonly bytes: Buffer;
  readonly dueAtMs: number;
}

/** What stores say first to each other; clients of the product never begin so. */
const PEER_GREETING = /^(\*\d+\r\n\$\d+\r\n)?(PING|REPLCONF|P?SYNC)\b|sentinel-[0-9a-f]+/i;

/** A client's socket joined to a socket of the store. */
export class Link {
  private readonly client: Socket;
  private readonly store: Socket;
  private readonly weather: Weather;
  private readonly waiting: Readonly<Record<Direction, Parcel[]>> = { request: [], reply: [] };
  private readonly moving = new Set<Direction>();
  private dark = false;
  private readonly onGreeting: (link: Link) => void;
  /** Whether a store is at the other end; absent until the first bytes were seen. */
  isPeer: boolean | undefined;
  /** The first bytes of the client; absent until they were seen. */
  greeting: Buffer | undefined;

  constructor(client: Socket, store: Socket, weather: Weather, onGreeting: (link: Link) => void) {
    this.onGreeting = onGreeting;
    this.client = client;
    this.store = store;
    this.weather = weather;
    client.on('data', (chunk: Buffer) => this.onRequest(chunk));
    store.on('data', (chunk: Buffer) => this.onReply(chunk));
    for (const socket of [client, store]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (!this.dark) this.close();
      });
    }
  }

  /** Ends both sides at once, whatever is under way. */
  reset(): void {
    this.client.resetAndDestroy();
    this.store.resetAndDestroy();
  }

  /** From now on nothing arrives, and neither side learns of it; not even that the other one has gone. */
  darken(): void {
    this.dark = true;
  }

  /** Ends the silence: what was under way arrives late, or never. Whoever has gone meanwhile is then missed. */
  lighten(late: boolean): void {
    this.dark = false;
    if (!late) this.reset();
    else this.resume();
    if (this.client.destroyed || this.store.destroyed) this.close();
  }

  /** Sends on what a hold has kept back. */
  resume(): void {
    for (const direction of ['request', 'reply'] as const) void this.move(direction);
  }

  /** What was already passed on still arrives. */
  private close(): void {
    this.client.destroySoon();
    this.store.destroySoon();
  }

  private onRequest(chunk: Buffer): void {
    if (this.greeting === undefined) {
      this.greeting = chunk;
      this.isPeer = PEER_GREETING.test(chunk.toString('latin1', 0, 256));
      this.onGreeting(this);
    }
    this.take('request', chunk);
  }

  private onReply(chunk: Buffer): void {
    if (this.isPeer !== true && this.weather.takeLoss()) this.reset();
    else this.take('reply', chunk);
  }

  private take(direction: Direction, bytes: Buffer): void {
    const dueAtMs = this.isPeer === true ? 0 : Date.now() + this.weather.delayMs(bytes.length);
    this.waiting[direction].push({ bytes, dueAtMs });
    void this.move(direction);
  }

  private async move(direction: Direction): Promise<void> {
    if (this.moving.has(direction)) return;
    this.moving.add(direction);
    const target = direction === 'request' ? this.store : this.client;
    while (!this.isHeld(direction)) {
      const parcel = this.waiting[direction].shift();
      if (parcel === undefined || target.destroyed) break;
      const waitMs = parcel.dueAtMs - Date.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (!target.destroyed) target.write(parcel.bytes);
    }
    this.moving.delete(direction);
    if (this.waiting[direction].length > 0) this.noteHeld(direction);
  }

  private isHeld(direction: Direction): boolean {
    return this.dark || (this.isPeer !== true && this.weather.isHeld(direction));
  }

  private noteHeld(direction: Direction): void {
    if (!this.dark) this.weather.onHeld(direction);
  }
}
