import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { ArchiveClient } from './archive-client.ts';
import { ensureSegments } from './segments.ts';

const PARTITIONS = 16;

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('segments of the archive', () => {
  it('are made for all partitions at once, though months and tables are shared (LEDGER 21)', async () => {
    const clients = Array.from({ length: PARTITIONS }, () => new ArchiveClient(database.url));
    const made = clients.map((client, partition) =>
      ensureSegments((statement) => client.run(statement), { generation: 1, partition }, -1, Date.now()),
    );
    const results = await Promise.allSettled(made);
    await Promise.all(clients.map((client) => client.close()));
    expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
  });
});
