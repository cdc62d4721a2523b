import { createServer } from 'node:net';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { Refusal } from '../domain/refusal.ts';
import { createDatabase, type DatabaseOptions, type Sql, withDeadline } from './client.ts';
import { violatedUniqueConstraint } from './database-faults.ts';

const OPTIONS: DatabaseOptions = {
  applicationName: 'test',
  maxConnections: 1,
  statementTimeoutMs: 10_000,
  connectTimeoutMs: 2_000,
};
const pools: Sql[] = [];

afterEach(async () => {
  await Promise.all(pools.splice(0).map((sql) => sql.end({ timeout: 0 })));
});

function open(url: string, changes: Partial<DatabaseOptions> = {}): Sql {
  const sql = createDatabase(url, { ...OPTIONS, ...changes });
  pools.push(sql);
  return sql;
}

function soon(): number {
  return Date.now() + 10_000;
}

async function outcomeOf(statement: Promise<unknown>): Promise<unknown> {
  const outcome = await statement.catch((error: unknown) => error);
  return outcome instanceof Refusal ? outcome.reason : outcome;
}

// LEDGER 14: a store that is away is an honest answer, never a hanging call.
describe('a call to the database', () => {
  test('ends at its deadline, whatever the statement does', async () => {
    const sql = open(inject('postgresUrl'));
    expect(await outcomeOf(withDeadline(sql`select pg_sleep(9)`, Date.now() + 50))).toBe('DEADLINE_EXCEEDED');
  });

  test('is ended by the server when it runs too long', async () => {
    const sql = open(inject('postgresUrl'), { statementTimeoutMs: 50 });
    expect(await outcomeOf(withDeadline(sql`select pg_sleep(9)`, soon()))).toBe('ARCHIVE_UNAVAILABLE');
    expect(await withDeadline(sql`select 1 as one`, soon())).toEqual([{ one: 1 }]);
  });

  test('says so when nobody listens there', async () => {
    const sql = open('postgres://hongbao@127.0.0.1:1/none');
    expect(await outcomeOf(withDeadline(sql`select 1`, soon()))).toBe('ARCHIVE_UNAVAILABLE');
  });

  test('gives up on a peer that takes the connection and is silent', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const sql = open(`postgres://hongbao@127.0.0.1:${port}/none`, { connectTimeoutMs: 100 });
    expect(await outcomeOf(withDeadline(sql`select 1`, soon()))).toBe('ARCHIVE_UNAVAILABLE');
    server.close();
  });

  test('throws what is wrong with the statement as it is', async () => {
    const sql = open(inject('postgresUrl'));
    await sql`create temporary table one (id integer constraint one_is_unique unique)`;
    const error = await outcomeOf(withDeadline(sql`insert into one values (1), (1)`, soon()));
    expect(violatedUniqueConstraint(error)).toBe('one_is_unique');
    expect(
      violatedUniqueConstraint(await outcomeOf(withDeadline(sql`select wrong`, soon()))),
    ).toBeUndefined();
  });

  test('recovers by itself after its connection was killed', async () => {
    const sql = open(inject('postgresUrl'));
    const other = open(inject('postgresUrl'));
    const [row] = await withDeadline(sql<{ pid: number }[]>`select pg_backend_pid() as pid`, soon());
    await other`select pg_terminate_backend(${row?.pid ?? 0})`;
    const again = () => withDeadline(sql`select 1 as one`, soon()).catch(() => []);
    await expect.poll(again, { timeout: 10_000 }).toEqual([{ one: 1 }]);
  });
});
