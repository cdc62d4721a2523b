/**
 * Moves a partition to another master of a Redis Cluster (LEDGER rule 18).
 *
 * The partition's gate is shut first, so that no script ever meets half of its keys; then its one slot is handed over key by key,
 * and the archive opens the gate again for the new server once both tell the same history. Calls that come meanwhile are
 * answered as those to any closed partition: unknown, ask again. Every step may be done twice, so a move that was cut off is
 * finished by the same order.
 */
import type { Redis } from 'ioredis';
import { type ClusterMaster, ownerOf, parseMasters } from './cluster-nodes.ts';

/** Keys handed over in one step: a step blocks the old server for its length. */
const KEYS_PER_STEP = 200;

/** Longest wait for one step, ms: the partition's stream is one key, and may be large. */
const STEP_TIMEOUT_MS = 60_000;

/** What is to be moved, and where. */
export interface MoveOrder {
  /** Key of the partition's own record; all of the partition's keys share its slot. */
  readonly metaKey: string;
  /** Address of the master that shall have it. */
  readonly target: { readonly host: string; readonly port: number };
}

/** What a move needs from outside. */
export interface MovePorts {
  /** Any node of the cluster. */
  readonly anyNode: Redis;
  /** A connection to one node that takes commands; whoever asked for it closes it. Throws when the node is away. */
  connect(node: { readonly host: string; readonly port: number }): Promise<Redis>;
  /** Hears how many keys were handed over so far. */
  onProgress(keys: number): void;
}

/** What a move did. */
export interface MoveResult {
  /** Keys handed over; 0 when the target had all of them. */
  readonly keys: number;
}

/** A move that cannot be: the cluster is not as the order says. Nothing was changed. */
export class MoveRefused extends Error {
  override readonly name = 'MoveRefused';
}

/** Hands the partition's slot over. The gate stays shut; the archive opens it. Throws {@link MoveRefused}, or what the driver throws. */
export async function moveSlot(order: MoveOrder, ports: MovePorts): Promise<MoveResult> {
  const slot = Number(await ports.anyNode.cluster('KEYSLOT', order.metaKey));
  const masters = parseMasters(
    String(await ports.anyNode.cluster('NODES')),
    ports.anyNode.options.host ?? '',
  );
  const { source, target } = partiesOf(masters, slot, order);
  const connections = new Map<string, Redis>();
  for (const master of masters) connections.set(master.id, await ports.connect(master));
  const at = (master: ClusterMaster): Redis => {
    const connection = connections.get(master.id);
    if (connection === undefined) throw new MoveRefused(`no connection to ${master.host}:${master.port}`);
    return connection;
  };
  try {
    if (source.id === target.id) {
      await reopen(at(target), order.metaKey);
      return { keys: 0 };
    }
    const keys = await handOver({ slot, source, target, at }, order, ports.onProgress);
    // The new owner first: were the old one told first, nobody would serve the slot for a moment.
    for (const master of [target, source, ...masters]) {
      await at(master).cluster('SETSLOT', slot, 'NODE', target.id);
    }
    await reopen(at(target), order.metaKey);
    return { keys };
  } finally {
    for (const connection of connections.values()) connection.disconnect();
  }
}

interface Parties {
  readonly slot: number;
  readonly source: ClusterMaster;
  readonly target: ClusterMaster;
  readonly at: (master: ClusterMaster) => Redis;
}

function partiesOf(masters: readonly ClusterMaster[], slot: number, { target }: MoveOrder) {
  const owner = ownerOf(masters, slot);
  if (owner === undefined) throw new MoveRefused(`no master serves slot ${slot}`);
  const found = masters.find(({ host, port }) => host === target.host && port === target.port);
  if (found === undefined) {
    const known = masters.map(({ host, port }) => `${host}:${port}`).join(', ');
    throw new MoveRefused(
      `${target.host}:${target.port} is no master of this cluster; its masters are ${known}`,
    );
  }
  return { source: owner, target: found };
}

async function handOver(
  { slot, source, target, at }: Parties,
  { metaKey }: MoveOrder,
  onProgress: (keys: number) => void,
): Promise<number> {
  const [from, to] = [at(source), at(target)];
  await shut(from, metaKey, target.id);
  await to.cluster('SETSLOT', slot, 'IMPORTING', source.id);
  await from.cluster('SETSLOT', slot, 'MIGRATING', target.id);
  let moved = 0;
  for (;;) {
    const keys: unknown = await from.call('CLUSTER', ['GETKEYSINSLOT', slot, KEYS_PER_STEP]);
    if (!Array.isArray(keys) || keys.length === 0) return moved;
    await from.call('MIGRATE', [
      target.host,
      target.port,
      '',
      0,
      STEP_TIMEOUT_MS,
      'REPLACE',
      ...credentialsOf(to),
      'KEYS',
      ...keys,
    ]);
    moved += keys.length;
    onProgress(moved);
  }
}

/** With what one server may write to the other: the same as we. */
function credentialsOf({ options: { username, password } }: Redis): string[] {
  if (!password) return [];
  return username ? ['AUTH2', username, password] : ['AUTH', password];
}

/** Shuts the gate, and keeps the archive from opening it. A record that has gone over already stays as it is there: shut. */
async function shut(source: Redis, metaKey: string, targetId: string): Promise<void> {
  try {
    if ((await source.exists(metaKey)) === 0) return;
    await source.hset(metaKey, { open: '', moving: targetId });
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('ASK'))) throw error;
  }
}

/** Lets the archive open the gate. */
async function reopen(target: Redis, metaKey: string): Promise<void> {
  await target.hdel(metaKey, 'moving');
}
