/** The archive behind the ledger of a world: drained when told to, compared with the models, and audited at the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { ArchiveClient } from '../../src/archive/archive-client.ts';
import type { Archiver } from '../../src/archive/archiver.ts';
import { type AuditReport, formatReport } from '../../src/archive/audit/audit-report.ts';
import { runAudit } from '../../src/archive/audit.ts';
import type { PartitionId } from '../../src/archive/ledger-port.ts';
import { ArchivePlaces } from '../../src/archive/places.ts';
import { makeGeneration } from '../../src/archive/rebuild/new-generation.ts';
import type { RebuildPorts } from '../../src/archive/rebuild/rebuild-ports.ts';
import { type RebuildOutcome, rebuildRedis } from '../../src/archive/rebuild/rebuild-redis.ts';
import { textArray } from '../../src/database/array-literal.ts';
import { createDatabase, type Sql } from '../../src/database/client.ts';
import { MS_PER_DAY } from '../../src/domain/durations.ts';
import { createDetachJob } from '../../src/jobs/detach-log.ts';
import { LedgerAdmin } from '../../src/ledger/admin.ts';
import { RebuildTarget } from '../../src/ledger/rebuild-target.ts';
import { archiverOf, runOnce } from '../archived-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { type ModelState, userIdOf } from './model-state.ts';
import { ORDERS, USERS } from './operations.ts';
import { GENERATION, type World } from './world.ts';

const ID = { generation: GENERATION, partition: 0 };
const STATEMENT_MS = 120_000;

/** What the archive says about users: coupons, orders and points by user. */
export type ArchivedUsers = Readonly<Record<string, unknown>>;

/** See the module's comment. */
export class ArchiveSide {
  private readonly world: World;
  private readonly database: TestDatabase;
  private readonly client: ArchiveClient;
  private readonly archiver: Archiver;
  private readonly sql: Sql;

  private constructor(world: World, database: TestDatabase) {
    this.world = world;
    this.database = database;
    this.client = new ArchiveClient(database.url);
    const { admin, metrics } = world;
    this.archiver = archiverOf(this.client, admin, { metrics, owner: 'model', flushIntervalMs: 1 });
    this.sql = createDatabase(database.url, {
      applicationName: 'test',
      maxConnections: 2,
      statementTimeoutMs: STATEMENT_MS,
      connectTimeoutMs: 5_000,
    });
  }

  /** Begins with an empty database. */
  static async start(world: World): Promise<ArchiveSide> {
    return new ArchiveSide(world, await createTestDatabase());
  }

  /** Takes turns until everything that happened is archived. */
  async drain(): Promise<void> {
    for (;;) {
      const pauseMs = await this.archiver.turn();
      const [cursor] = await this.sql`SELECT seq FROM ledger_cursor`;
      if (Number(cursor?.['seq'] ?? -1) === (await this.world.admin.lastSeq())) return;
      await sleep(pauseMs);
    }
  }

  /** What people read in the archive about the users of these models. */
  async usersOf(models: readonly ModelState[]): Promise<ArchivedUsers> {
    const ids = models.flatMap((state) => USERS.map((user) => userIdOf(state, user)));
    const names = textArray(ids);
    const coupons = await this.sql`
      SELECT user_id, encode(coupon_id, 'hex') AS id, state, order_id, hidden FROM coupon
      WHERE user_id = ANY(${names}::text[]) ORDER BY coupon_id`;
    const orders = await this.sql`
      SELECT user_id, order_id, state, payable_minor, refunded_minor FROM redemption
      WHERE user_id = ANY(${names}::text[]) ORDER BY order_id`;
    const points = await this.sql`
      SELECT user_id, count(*)::int AS count, sum(points)::int AS sum FROM points_entry
      WHERE user_id = ANY(${names}::text[]) GROUP BY user_id`;
    return Object.fromEntries(
      ids.map((id) => [
        id,
        {
          coupons: rowsOf(coupons, id).map((row) => [
            row['id'],
            row['state'],
            row['order_id'],
            row['hidden'],
          ]),
          orders: rowsOf(orders, id).map((row) => {
            return [
              row['order_id'],
              row['state'],
              Number(row['payable_minor']),
              Number(row['refunded_minor']),
            ];
          }),
          points: rowsOf(points, id).map((row) => [row['count'], row['sum']]),
        },
      ]),
    );
  }

  /** Checks every invariant over everything that ever happened. */
  async audit(): Promise<{ readonly report: AuditReport; readonly text: string }> {
    const report = await runAudit({ sql: this.sql, ledger: this.world.admin, id: ID });
    return { report, text: formatReport(report) };
  }

  /** Divides the log into segments of so many entries, before there is anything in it. */
  async divide(entries: number, segments: number): Promise<void> {
    for (let from = 0; from < entries * segments; from += entries)
      await this.sql`SELECT archive_ensure_log_segment(${GENERATION}, 0, ${from}, ${from + entries})`;
  }

  /** Drops from Redis what is archived, and detaches all segments that may then go; how many those were. */
  async detach(): Promise<number> {
    const { world } = this;
    const { admin, ledger, metrics, nowMs } = world;
    await admin.trimBelow((await admin.lastSeq()) ?? 0);
    const job = createDetachJob({
      sql: this.sql,
      places: new ArchivePlaces(GENERATION, 1),
      // Postgres and the ledger have different clocks here.
      ledger: { oldestEntryAt: (partition) => ledger.oldestEntryAt(partition, world.deadline()) },
      days: 30,
      cron: '0 * * * *',
      timeZone: 'UTC',
      metrics,
      logger: pino({ level: 'silent' }),
      nowMs: Date.now,
    });
    const { detached = 0 } = await runOnce(job, nowMs + 31 * MS_PER_DAY);
    return detached;
  }

  /** Rebuilds the emptied Redis from what is archived. */
  async rebuild(): Promise<RebuildOutcome> {
    await this.archiver.giveBack();
    const order = { generation: GENERATION, partitions: 1, isConfirmed: true };
    return await rebuildRedis(this.rebuildPorts(), order);
  }

  /** Makes the next generation, with so many partitions, and audits every one of them. */
  async regenerate(partitions: number): Promise<string[]> {
    await this.archiver.giveBack();
    await this.sql`UPDATE ledger_generation SET partitions = 1 WHERE partitions IS NULL`;
    const generation = await makeGeneration(this.rebuildPorts(), { partitions, isConfirmed: true });
    const faults: string[] = [];
    for (let partition = 0; partition < partitions; partition += 1) {
      const id = { generation: generation ?? 0, partition };
      const ledger = this.ledgerOf(id, partitions);
      const report = await runAudit({ sql: this.sql, ledger, id });
      if (!report.holds) faults.push(formatReport(report));
    }
    return faults;
  }

  private rebuildPorts(): RebuildPorts {
    const { sql, client, world } = this;
    return {
      sql,
      client,
      target: (partition) => new RebuildTarget(world.redis, partition, 'model'),
      ledger: (id, partitions) => this.ledgerOf(id, partitions),
      connected: () => Promise.resolve([]),
      owner: 'model rebuild',
      say: () => undefined,
      nowMs: Date.now,
    };
  }

  private ledgerOf({ generation, partition }: PartitionId, partitions: number): LedgerAdmin {
    return new LedgerAdmin(this.world.redis, generation, partition, partitions);
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await this.client.close();
    await this.sql.end({ timeout: 1 });
    await this.database.drop();
  }
}

type Row = Readonly<Record<string, unknown>>;

function rowsOf(rows: readonly Row[], userId: string): readonly Row[] {
  return rows.filter((row) => row['user_id'] === userId);
}

/** What the models say the archive must tell. */
export function archivedByModels(models: readonly ModelState[]): ArchivedUsers {
  return Object.fromEntries(
    models.flatMap((state) => USERS.map((user) => [userIdOf(state, user), archivedUser(state.users[user])])),
  );
}

function archivedUser({ coupons, orders, points }: ModelState['users']['ann']) {
  const held = coupons
    .map(({ couponId, state, holder = null, isHidden }) => [couponId, state, holder, isHidden] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const heads = ORDERS.flatMap((order) => {
    const { head } = orders[order];
    if (head === undefined) return [];
    return [[order, head.state, head.payableMinor, head.lineRefundedMinor + head.shippingRefundedMinor]];
  });
  return {
    coupons: held,
    orders: heads,
    points: points.number === 0 ? [] : [[points.number, points.available]],
  };
}
