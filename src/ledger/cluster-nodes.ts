/** The nodes of a Redis Cluster as one of them lists them (`CLUSTER NODES`). Pure. */

/** A master and the slots it serves. */
export interface ClusterMaster {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** Of two that claim a slot the one with the later epoch has it. */
  readonly epoch: number;
  /** First and last slot of each range, both included. */
  readonly slots: readonly (readonly [first: number, last: number])[];
}

/**
 * The masters. Throws a TypeError when a line is none of `CLUSTER NODES`: id, address, flags, master, ping, pong, epoch, link,
 * slots.
 *
 * @param askedHost where the list comes from: a node that has not learned its own address yet is there
 * @see https://redis.io/docs/latest/commands/cluster-nodes/ for the format of a line
 */
export function parseMasters(text: string, askedHost: string): ClusterMaster[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.flatMap((line) => {
    const [id = '', address = '', flags = '', , , , epoch, , ...slots] = line.trim().split(' ');
    const [endpoint = ''] = address.split('@');
    const colon = endpoint.lastIndexOf(':');
    if (colon < 0) throw new TypeError(`not a line of CLUSTER NODES: ${line}`);
    const marks = flags.split(',');
    if (!marks.includes('master') || marks.includes('noaddr') || marks.includes('handshake')) return [];
    const host = endpoint.slice(0, colon) || askedHost;
    const port = Number(endpoint.slice(colon + 1));
    return [{ id, host, port, epoch: Number(epoch), slots: slots.flatMap(rangeOf) }];
  });
}

/** `7` or `5-9`; what is in brackets is a slot on its way, which still is its old owner's. */
function rangeOf(text: string): (readonly [number, number])[] {
  if (text.startsWith('[')) return [];
  const [first = 0, last = first] = text.split('-').map(Number);
  return [[first, last]];
}

/** The master that serves a slot; undefined when none does. */
export function ownerOf(masters: readonly ClusterMaster[], slot: number): ClusterMaster | undefined {
  return masters.find(({ slots }) => slots.some(([first, last]) => first <= slot && slot <= last));
}
