/**
 * `rebuild redis [--partitions P] [--new-generation] [--yes]`: Redis from the projections of Postgres.
 * `rebuild postgres [--force] [--yes]`: the projections of Postgres from Redis, when Postgres was restored to an older state.
 * `rebuild definitions [--yes]`: promotions that a restored Postgres lacks, from what the ledger was brought of them.
 *
 * Without `--yes` they only say what they would do. See docs/recovery.md.
 */
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import type { Redis } from 'ioredis';
import { ArchiveClient } from '../archive/archive-client.ts';
import { REBUILD_STATEMENT_MS } from '../archive/limits.ts';
import type { Source } from '../archive/rebuild/archived-records.ts';
import { readSuccession } from '../archive/rebuild/generations.ts';
import { makeGeneration } from '../archive/rebuild/new-generation.ts';
import { type RebuildPorts, RebuildRefused } from '../archive/rebuild/rebuild-ports.ts';
import { rebuildPostgres } from '../archive/rebuild/rebuild-postgres.ts';
import { type RebuildOutcome, rebuildRedis } from '../archive/rebuild/rebuild-redis.ts';
import type { Config } from '../config/config.ts';
import { createDatabase, type Sql } from '../database/client.ts';
import { rebuildDefinitions } from '../definitions/rebuild-definitions.ts';
import { LedgerAdmin } from '../ledger/admin.ts';
import { PARTITION_COUNTS } from '../ledger/keys.ts';
import { PartitionConnections } from '../ledger/partition-connection.ts';
import { RebuildTarget } from '../ledger/rebuild-target.ts';
import { ledgerConnection } from '../ledger-settings.ts';

/** Time for Redis to answer at the start, and for one of its calls, ms: pages of a large keyspace take long. */
const CONNECT_MS = 5_000;
const CALL_MS = 30_000;
const MOST_PARTITIONS = PARTITION_COUNTS.at(-1) ?? 1;

const USAGE = `usage: hongbao rebuild redis [--partitions ${PARTITION_COUNTS.join('|')}] [--new-generation] [--yes]
       hongbao rebuild postgres [--force] [--yes]
       hongbao rebuild definitions [--yes]
`;
const EXIT_USAGE = 2;
const EXIT_REFUSED = 1;
const CONNECTION_NAME = 'hongbao-rebuild';

const TARGETS = ['redis', 'postgres', 'definitions'] as const;

interface Order {
  readonly target: (typeof TARGETS)[number];
  /** Undefined: as many as there are. */
  readonly partitions: number | undefined;
  readonly isNewGeneration: boolean;
  readonly isForced: boolean;
  readonly isConfirmed: boolean;
}

function parseOrder(args: readonly string[]): Order {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      partitions: { type: 'string' },
      'new-generation': { type: 'boolean', default: false },
      force: { type: 'boolean', default: false },
      yes: { type: 'boolean', default: false },
    },
  });
  const [name, ...rest] = positionals;
  const target = TARGETS.find((known) => known === name);
  if (target === undefined || rest.length > 0)
    throw new TypeError(`what is to be rebuilt: ${TARGETS.join(', ')}`);
  const partitions = values.partitions === undefined ? undefined : Number(values.partitions);
  if (partitions !== undefined && !PARTITION_COUNTS.some((count) => count === partitions))
    throw new TypeError(`--partitions: one of ${PARTITION_COUNTS.join(', ')}`);
  const isNewGeneration = values['new-generation'];
  if (target !== 'redis' && (partitions !== undefined || isNewGeneration))
    throw new TypeError('--partitions and --new-generation are about Redis');
  if (target === 'definitions' && values.force) throw new TypeError('--force is about Postgres');
  return { target, partitions, isNewGeneration, isForced: values.force, isConfirmed: values.yes };
}

/** Exit code 0 when it is done, when there was nothing to do and after a mere look; 1 when it cannot be; 2 when the order makes no sense. */
export async function rebuild(config: Config, args: readonly string[]): Promise<number> {
  let order: Order;
  try {
    order = parseOrder(args);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n${USAGE}`);
    return EXIT_USAGE;
  }
  const stores = openStores(config);
  try {
    if (!(await stores.connections.start(CONNECT_MS)))
      throw new RebuildRefused(`Redis does not answer within ${CONNECT_MS} ms`);
    say(await carryOut(stores.ports, order));
    return 0;
  } catch (error) {
    if (!(error instanceof RebuildRefused)) throw error;
    process.stderr.write(`refused: ${error.message}\n`);
    return EXIT_REFUSED;
  } finally {
    await stores.close();
  }
}

async function carryOut(ports: RebuildPorts, order: Order): Promise<string> {
  if (order.target === 'definitions') return await bringDefinitions(ports, order);
  const { source, isResumed } = await readSuccession(ports.sql);
  if (order.target === 'postgres')
    return told(await rebuildPostgres(ports, { ...source, ...order, ...source }));
  const isAnother = order.partitions !== undefined && order.partitions !== source.partitions;
  if (!isAnother && !order.isNewGeneration && !isResumed)
    return told(await rebuildRedis(ports, inForce(source, order)));
  const partitions = order.partitions ?? source.partitions;
  const made = await makeGeneration(ports, { partitions, isConfirmed: order.isConfirmed });
  if (made === undefined) return told('only looked');
  return `done: set HONGBAO_LEDGER_PARTITIONS to ${partitions} for all processes`;
}

async function bringDefinitions({ sql, nowMs }: RebuildPorts, { isConfirmed }: Order): Promise<string> {
  const outcome = await rebuildDefinitions({ sql, isConfirmed, say, nowMs });
  if (outcome === 'refused') throw new RebuildRefused('not every promotion could be brought back, see above');
  return told(outcome);
}

function inForce(source: Source, { isConfirmed }: Order): Source & { readonly isConfirmed: boolean } {
  return { ...source, isConfirmed };
}

function told(outcome: RebuildOutcome): string {
  return outcome === 'only looked' ? 'nothing was changed: say --yes to do it' : outcome;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function openStores(config: Config) {
  const { url, connectTimeoutMs } = config.database;
  const sql = createDatabase(url, {
    applicationName: CONNECTION_NAME,
    maxConnections: 2,
    statementTimeoutMs: REBUILD_STATEMENT_MS,
    connectTimeoutMs,
  });
  // Partitions beyond those there are now may have to be emptied or filled.
  const settings = {
    ...ledgerConnection(config),
    partitions: MOST_PARTITIONS,
    commandTimeoutMs: CALL_MS,
    socketTimeoutMs: 2 * CALL_MS,
  };
  const connections = new PartitionConnections(settings, CONNECTION_NAME, () => undefined);
  const client = new ArchiveClient(url);
  const ports = rebuildPorts(sql, client, connections);
  return {
    ports,
    connections,
    async close() {
      connections.close();
      await client.close();
      await sql.end({ timeout: 1 });
    },
  };
}

function rebuildPorts(sql: Sql, client: ArchiveClient, connections: PartitionConnections): RebuildPorts {
  const owner = `rebuild:${hostname()}:${process.pid}`;
  return {
    sql,
    client,
    owner,
    target: (partition) => new RebuildTarget(connections.of(partition).redis(), partition, owner),
    ledger: ({ generation, partition }, partitions) =>
      new LedgerAdmin(connections.of(partition), generation, partition, partitions),
    connected: () => connectedProcesses(connections),
    say,
    nowMs: Date.now,
  };
}

/** A server that does not list its clients tells nothing about them. */
async function connectedProcesses(connections: PartitionConnections): Promise<string[]> {
  const servers = new Set<Redis>();
  for (let partition = 0; partition < MOST_PARTITIONS; partition += 1)
    servers.add(connections.of(partition).redis());
  const lists = await Promise.all([...servers].map((redis) => redis.client('LIST').catch(() => '')));
  const names = lists.flatMap((list) =>
    [...String(list).matchAll(/ name=(hongbao[^ ]*)/g)].map(([, name]) => name ?? ''),
  );
  return [...new Set(names)].filter((name) => name !== CONNECTION_NAME).sort();
}
