/**
 * The streams of an HTTP/2 connection, kept so that a stream is garbage as soon as it is closed.
 *
 * node keeps them in a Map by id. When a Map of V8 makes room or shrinks it moves to a new table, and the old one, with what it
 * held, points to the new one. Once an old table has grown old itself, no scavenge can drop what it leads to: table after table,
 * and with them the streams and all that belongs to their calls, move to the old generation, to be found dead by a full
 * collection. Under load that was most of the time spent on garbage (docs/adr/0014).
 */
import type { ServerHttp2Session } from 'node:http2';

/** What node does with the streams of a connection. */
interface Streams {
  readonly size: number;
  get(id: number): object | undefined;
  set(id: number, stream: object): unknown;
  delete(id: number): boolean;
  forEach(visit: (stream: object, id: number) => void): void;
}

/** Streams by id. Only numbers are in the Map, so that its old tables lead to nothing. */
export class StreamTable implements Streams {
  private readonly places = new Map<number, number>();
  private readonly streams: (object | undefined)[] = [];
  private readonly free: number[] = [];

  get size(): number {
    return this.places.size;
  }

  get(id: number): object | undefined {
    const place = this.places.get(id);
    return place === undefined ? undefined : this.streams[place];
  }

  set(id: number, stream: object): this {
    const place = this.places.get(id) ?? this.free.pop() ?? this.streams.length;
    this.streams[place] = stream;
    this.places.set(id, place);
    return this;
  }

  delete(id: number): boolean {
    const place = this.places.get(id);
    if (place === undefined) return false;
    this.streams[place] = undefined;
    this.free.push(place);
    return this.places.delete(id);
  }

  /** Visits every stream; those that are closed meanwhile are left out, those that are opened may be. */
  forEach(visit: (stream: object, id: number) => void): void {
    for (const [id, place] of [...this.places]) {
      const stream = this.streams[place];
      if (stream !== undefined && this.places.get(id) === place) visit(stream, id);
    }
  }
}

/**
 * Gives a connection such a table before its first stream. node has no public place for that; a version that keeps its streams
 * otherwise is left as it is, and false says so.
 */
export function useStreamTable(session: ServerHttp2Session): boolean {
  const key = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'state');
  const state: unknown = key && Reflect.get(session, key);
  if (typeof state !== 'object' || state === null) return false;
  const streams: unknown = Reflect.get(state, 'streams');
  return isEmptyMap(streams) && Reflect.set(state, 'streams', new StreamTable());
}

function isEmptyMap(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object Map]' && Reflect.get(Object(value), 'size') === 0;
}
