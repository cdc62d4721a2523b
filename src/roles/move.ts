/**
 * `move --partition N --to HOST:PORT`: moves a partition to another master of a Redis Cluster, and says how long its writes had to
 * wait. What comes meanwhile is answered as unknown, and done by the next attempt.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Redis } from 'ioredis';
import type { Config } from '../config/config.ts';
import { awaitReady, connectLedger, type LedgerConnectionSettings } from '../ledger/connection.ts';
import { partitionKeys } from '../ledger/keys.ts';
import { MoveRefused, moveSlot } from '../ledger/move-slot.ts';
import { parseTopologyAddress } from '../ledger/topology-address.ts';
import { ledgerConnection } from '../ledger-settings.ts';

/** Time for a node to answer at the start, and for the archive to open the gate, ms. */
const CONNECT_MS = 5_000;
const OPEN_MS = 60_000;
const OPEN_POLL_MS = 20;
/** One step may hand over a stream of some hundred megabytes. */
const STEP_MS = 60_000;

const USAGE = 'usage: hongbao move --partition N --to HOST:PORT\n';
const EXIT_USAGE = 2;
const EXIT_FAILED = 1;

interface Order {
  readonly partition: number;
  readonly partitions: number;
  readonly target: { readonly host: string; readonly port: number };
}

function parseOrder(args: readonly string[], partitions: number): Order {
  const { values } = parseArgs({
    args: [...args],
    options: { partition: { type: 'string' }, to: { type: 'string' } },
  });
  const partition = Number(values.partition);
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(values.to ?? '') ?? [];
  if (
    values.partition === undefined ||
    !Number.isInteger(partition) ||
    partition < 0 ||
    partition >= partitions
  )
    throw new TypeError(`--partition: a number from 0 to ${partitions - 1}`);
  if (host === undefined) throw new TypeError('--to: the address of a master, HOST:PORT');
  return { partition, partitions, target: { host, port: Number(port) } };
}

/** Exit code 0 when the partition is open at its new place, 1 when it is not, 2 when the order makes no sense. */
export async function move(config: Config, args: readonly string[]): Promise<number> {
  const settings = { ...ledgerConnection(config), commandTimeoutMs: STEP_MS, socketTimeoutMs: STEP_MS };
  const address = parseTopologyAddress(settings.url);
  try {
    const order = parseOrder(args, config.ledger.partitions);
    if (address.kind !== 'cluster')
      throw new MoveRefused('REDIS_URL: only a cluster has masters to move between');
    return await moveAndWait(order, settings, (host, port) => address.nodeUrl(host, port), address.seeds);
  } catch (error) {
    if (!(error instanceof MoveRefused || error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n${error instanceof MoveRefused ? '' : USAGE}`);
    return error instanceof MoveRefused ? EXIT_FAILED : EXIT_USAGE;
  }
}

async function moveAndWait(
  { partition, partitions, target }: Order,
  settings: LedgerConnectionSettings,
  urlOf: (host: string, port: number) => string,
  seeds: readonly string[],
): Promise<number> {
  const { meta: metaKey } = partitionKeys(partition, partitions);
  const connect = (url: string): Redis => open({ ...settings, url });
  const connectTo = async ({ host, port }: Order['target']): Promise<Redis> => {
    const redis = connect(urlOf(host, port));
    if (await awaitReady(redis, CONNECT_MS)) return redis;
    redis.disconnect();
    throw new Error(`${host}:${port} does not answer within ${CONNECT_MS} ms`);
  };
  const anyNode = await firstReady(seeds.map(connect));
  try {
    const startMs = performance.now();
    const { keys } = await moveSlot(
      { metaKey, target },
      {
        anyNode,
        connect: connectTo,
        onProgress: (moved) => process.stdout.write(`${moved} keys handed over\n`),
      },
    );
    const isOpen = await awaitOpen(await connectTo(target), metaKey);
    const tookMs = Math.round(performance.now() - startMs);
    const where = `partition ${partition} is at ${target.host}:${target.port}`;
    const state = isOpen ? `open; its writes waited ${tookMs} ms` : 'not open yet: is an archive running?';
    process.stdout.write(`${where}, ${keys} keys handed over, ${state}\n`);
    return isOpen ? 0 : EXIT_FAILED;
  } finally {
    anyNode.disconnect();
  }
}

function open(settings: LedgerConnectionSettings): Redis {
  const redis = connectLedger(settings, 'hongbao-move');
  redis.on('error', () => undefined);
  return redis;
}

/** The first seed that answers; the others are let go. */
async function firstReady(seeds: readonly Redis[]): Promise<Redis> {
  const ready = await Promise.all(seeds.map((redis) => awaitReady(redis, CONNECT_MS)));
  const found = seeds.find((_redis, index) => ready[index]);
  for (const redis of seeds) if (redis !== found) redis.disconnect();
  if (found === undefined) throw new Error(`no node of the cluster answers within ${CONNECT_MS} ms`);
  return found;
}

/** Ends the connection, too. */
async function awaitOpen(target: Redis, metaKey: string): Promise<boolean> {
  using _ending = { [Symbol.dispose]: () => target.disconnect() };
  const endsMs = performance.now() + OPEN_MS;
  while (performance.now() < endsMs) {
    const [server, openFor] = await Promise.all([target.info('server'), target.hget(metaKey, 'open')]);
    if (/^run_id:([0-9a-f]+)/m.exec(server)?.[1] === openFor) return true;
    await sleep(OPEN_POLL_MS);
  }
  return false;
}
