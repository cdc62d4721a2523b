/** Codes and grants on a real Redis and a real Postgres, called through their handlers. */

import { randomUUID } from 'node:crypto';
import { create, fromBinary, type JsonObject, toBinary } from '@bufbuild/protobuf';
import { pino } from 'pino';
import { ArchivePlaces } from '../src/archive/places.ts';
import { type ArchiveRole, createArchiveRole } from '../src/archive/role.ts';
import { type CodeSettings, type Codes, createCodes } from '../src/codes/codes.ts';
import { createGenerateCodesJob } from '../src/codes/generate-codes-job.ts';
import type { Sql } from '../src/database/client.ts';
import type { DefinitionPorts } from '../src/definitions/definition-ports.ts';
import {
  ExportCodesRequestSchema,
  ExportCodesResponseSchema,
} from '../src/gen/hongbao/v1/promotion_code_pb.ts';
import { type Promotion, PromotionSchema } from '../src/gen/hongbao/v1/promotion_pb.ts';
import { createRunGrantsJob } from '../src/grants/run-grants-job.ts';
import type { WorkPorts } from '../src/grants/work-recipients.ts';
import type { Job, JobCounts } from '../src/jobs/job.ts';
import { PromotionBook } from '../src/ruleset/promotion-book.ts';
import { RuleSet } from '../src/ruleset/rule-set.ts';
import { RuleSetEntry } from '../src/ruleset/rule-set-entry.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';
import { exportCodes } from '../src/transport/handlers/export-codes.ts';
import { createTestDatabase } from './database.ts';
import { definitionPorts, samplePromotion, staffCall, staffOf } from './definition-fixture.ts';
import { type LedgerFixture, startLedgerFixture } from './ledger-fixture.ts';

/** Limits of guessing that tests with right codes never meet. */
const CODE_SETTINGS: CodeSettings = {
  key: 'the key of these tests, long enough to be one',
  exportDays: 90,
  userAttemptsPerMinute: 10_000,
  callerAttemptsPerMinute: 1_000_000,
  userWrongCodes: 1_000,
  callerWrongCodes: 1_000_000,
  wrongWindowMs: 60_000,
  lockoutMs: 60_000,
};

/** What a test of codes or grants works with. */
export interface StaffFixture {
  readonly sql: Sql;
  readonly databaseUrl: string;
  readonly ledger: LedgerFixture;
  readonly definitions: DefinitionPorts;
  readonly ports: WorkPorts;
  readonly codes: Codes;
  readonly book: PromotionBook;
  readonly metrics: ReturnType<typeof createMetrics>;
  /** The parts of codes with other settings, on the same stores. */
  codesWith(settings: Partial<CodeSettings>): Codes;
  /** Creates a promotion and makes it active. */
  promotion(changes: JsonObject): Promise<Promotion>;
  runGenerate(): Promise<JobCounts>;
  runGrants(): Promise<JobCounts>;
  /** Everything ExportCodes sends for a job. */
  exported(jobId: string): Promise<string>;
  readonly places: ArchivePlaces;
  startArchive(): ArchiveRole;
  close(): Promise<void>;
}

/** Runs a job once. */
export async function runJob(job: Job): Promise<JobCounts> {
  const { signal } = new AbortController();
  return await job.run({ signal, nowMs: Date.now(), progress: () => undefined });
}

/** Starts everything; close it in `afterAll`. */
export async function startStaffFixture(): Promise<StaffFixture> {
  const [ledger, database] = await Promise.all([
    startLedgerFixture({ isDivided: true }),
    createTestDatabase(),
  ]);
  const places = new ArchivePlaces(1, ledger.admins.length);
  const definitions = definitionPorts(database.url, {
    define: (definition, deadlineMs) => ledger.ledger.define(definition, deadlineMs),
    readStock: (refs, deadlineMs) => ledger.ledger.read(deadlineMs, (reads) => reads.stock(refs, undefined)),
    readDefinitionBodies: (deadlineMs) => ledger.ledger.read(deadlineMs, (reads) => reads.definitionBodies()),
  });
  const { sql } = definitions;
  const staff = staffOf(definitions);
  const rules = { current: RuleSet.empty() };
  const logger = pino({ level: 'silent' });
  const ports = { sql, ledger: ledger.ledger, nowMs: () => Date.now() };
  const codesWith = (settings: Partial<CodeSettings>): Codes =>
    createCodes({
      ...ports,
      connections: ledger.connections,
      rules,
      logger,
      settings: { ...CODE_SETTINGS, ...settings },
    });
  const codes = codesWith({});
  const roles: ArchiveRole[] = [];
  return {
    sql,
    databaseUrl: database.url,
    ledger,
    definitions,
    places,
    ports,
    codes,
    book: new PromotionBook(rules, sql),
    metrics: ledger.metrics,
    codesWith,
    async promotion(changes) {
      const { promotionId } = await staff.create({ promotion: samplePromotion(changes) });
      const promotion = await staff.activate({ promotionId });
      const entry = new RuleSetEntry({ body: Buffer.from(toBinary(PromotionSchema, promotion)) });
      rules.current = rules.current.with([entry], rules.current.version + 1);
      return promotion;
    },
    runGenerate: () => runJob(createGenerateCodesJob({ ...ports, ...codes })),
    runGrants: () => runJob(createRunGrantsJob({ ...ports, places })),
    exported: (jobId) => exportedText({ sql, ...codes, nowMs: () => Date.now() }, jobId),
    startArchive() {
      const role = createArchiveRole({
        databaseUrl: database.url,
        ledgerAdmin: ({ partition }) => ledger.admins[partition] ?? ledger.admin,
        metrics: createMetrics({ version: 'test', node: process.version }),
        logger,
        config: { generation: 1, partitions: places.partitions, owner: randomUUID() },
        nowMs: () => Date.now(),
      });
      roles.push(role);
      role.start();
      return role;
    },
    async close() {
      await Promise.all(roles.map((role) => role.stop()));
      await ledger.close();
      await sql.end({ timeout: 1 });
      await database.drop();
    },
  };
}

async function exportedText(ports: Parameters<typeof exportCodes>[0], jobId: string): Promise<string> {
  const parts: Uint8Array[] = [];
  async function* requests(): AsyncGenerator<Uint8Array> {
    yield toBinary(ExportCodesRequestSchema, create(ExportCodesRequestSchema, { jobId }));
  }
  await exportCodes(ports)(requests(), staffCall({ deadlineMs: Infinity }), async (message) => {
    parts.push(fromBinary(ExportCodesResponseSchema, message).csv);
  });
  return Buffer.concat(parts).toString();
}
