import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { hydrateOrder } from '../redemption/hydrate-order.ts';
import { readArchivedOrder } from './archived-orders.ts';
import { learnGeneration } from './learn-generation.ts';
import { ArchivePlaces } from './places.ts';

let database: TestDatabase;
let sql: postgres.Sql;
let lines: Record<string, unknown>[];
let logger: Logger;

beforeEach(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, { max: 1, onnotice: () => {} });
  lines = [];
  logger = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
});

afterEach(async () => {
  await sql.end();
  await database.drop();
});

const UNKNOWN = { reason: 'ARCHIVE_UNAVAILABLE' };

// LEDGER 17: after a rebuild the ledger is of another generation than the first.
describe('a process that was started while Postgres was away', () => {
  test('takes no generation for granted, and puts nothing back from the archive', async () => {
    const places = new ArchivePlaces(undefined, 4);
    for (const ask of [() => places.generation, () => places.all, () => places.ofUser('ann')])
      expect(ask).toThrow(expect.objectContaining(UNKNOWN));
    const written: unknown[] = [];
    const ledger = {
      read: () => Promise.resolve([new Map(), new Map(), new Map()]) as never,
      transact: (transaction: unknown) => {
        written.push(transaction);
        return Promise.reject(new Error('nothing may be written'));
      },
    };
    await expect(
      hydrateOrder({ sql, places, ledger }, 'ann', 'o1', Date.now() + 5_000),
    ).rejects.toMatchObject(UNKNOWN);
    expect(written).toEqual([]);
  });

  // As every process should have been ended before the rebuild.
  test('finds no order in a generation that is over', async () => {
    await sql`INSERT INTO ledger_field (generation, partition, target, id, field, value, seq, event_index, retired)
      VALUES (1, 0, 'order', 'ann/o1', '\\x68', '\\x01', 5, 0, true)`;
    const read = () => readArchivedOrder(sql, { generation: 1, partition: 0 }, 'ann/o1', Date.now() + 5_000);
    expect((await read()).size).toBe(1);
    await sql`UPDATE ledger_generation SET state = 'closed'`;
    expect((await read()).size).toBe(0);
  });

  test('learns which one is in force as soon as Postgres answers', async () => {
    await sql`UPDATE ledger_generation SET state = 'closed'`;
    await sql`INSERT INTO ledger_generation (generation, partitions, state, reason) VALUES (2, 4, 'current', 'test')`;
    let isAway = true;
    const stumbling: postgres.Sql = new Proxy(sql, {
      apply: (target, self, args) =>
        isAway ? Promise.reject(new Error('away')) : Reflect.apply(target, self, args),
    });
    const places = new ArchivePlaces(undefined, 4);
    const learning = learnGeneration({ sql: stumbling, logger }, places, new AbortController().signal);
    await sleep(1);
    expect(() => places.generation).toThrow();
    isAway = false;
    expect(await learning).toBe(true);
    expect(places.ofUser('ann').generation).toBe(2);
    expect(lines).toMatchObject([{ event: 'ledger_generation', reason: 'Error: away' }]);
  });

  // SPEC S2: a store that is locked down too far has to say so, as it does not come back by itself.
  test('says once why Postgres tells it nothing, and goes on asking', async () => {
    const connection = { role: 'pg_monitor' };
    const locked = postgres(database.url, { max: 1, onnotice: () => {}, connection });
    const stopping = new AbortController();
    let asked = 0;
    const counted: postgres.Sql = new Proxy(locked, {
      apply: (target, self, args) => {
        asked += 1;
        if (asked === 2) stopping.abort();
        return Reflect.apply(target, self, args);
      },
    });
    const learning = learnGeneration(
      { sql: counted, logger },
      new ArchivePlaces(undefined, 4),
      stopping.signal,
    );
    expect(await learning).toBe(false);
    expect(lines).toMatchObject([{ event: 'ledger_generation', level: 40, code: '42501' }]);
    expect(lines[0]?.['reason']).toContain('permission denied');
    await locked.end();
  });

  test('stays without one when the ledger has another number of partitions', async () => {
    await sql`UPDATE ledger_generation SET partitions = 8`;
    const places = new ArchivePlaces(undefined, 4);
    await expect(learnGeneration({ sql, logger }, places, new AbortController().signal)).rejects.toThrow(
      '8 partitions',
    );
    expect(() => places.all).toThrow(expect.objectContaining(UNKNOWN));
  });
});
