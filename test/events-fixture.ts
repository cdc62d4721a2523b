/** Events of the shop over a real ledger and a real Postgres, with promotions that staff define. */
import { randomUUID } from 'node:crypto';
import { create, type JsonObject, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { pino } from 'pino';
import type { Sql } from '../src/database/client.ts';
import { createDatabase } from '../src/database/client.ts';
import type { DefinitionPorts } from '../src/definitions/definition-ports.ts';
import { Refusal } from '../src/domain/refusal.ts';
import type { EventPorts, ProfileDetails } from '../src/events/event-ports.ts';
import { ingestEvent } from '../src/events/ingest-event.ts';
import { orderEndings } from '../src/events/order-endings.ts';
import { storedFacts } from '../src/events/stored-facts.ts';
import {
  type EventEffect,
  EventEffectKind,
  EventOutcome,
  IngestEventRequestSchema,
} from '../src/gen/hongbao/v1/event_service_pb.ts';
import { type Promotion, PromotionSchema } from '../src/gen/hongbao/v1/promotion_pb.ts';
import { RefusalReason } from '../src/gen/hongbao/v1/refusal_pb.ts';
import type { Job, JobCounts } from '../src/jobs/job.ts';
import { accountOf } from '../src/ledger/transaction.ts';
import { Points } from '../src/points/points.ts';
import { RuleSetKeeper } from '../src/ruleset/rule-set-keeper.ts';
import { createTestDatabase } from './database.ts';
import { definitionPorts, samplePromotion, staffOf } from './definition-fixture.ts';
import { soon } from './ledger-fixture.ts';
import { type RedemptionFixture, startRedemptionFixture } from './redemption-fixture.ts';

const SILENT = pino({ level: 'silent' });

type EventInit = MessageInitShape<typeof IngestEventRequestSchema>;

/** What a test works with. */
export interface EventsFixture {
  readonly ports: EventPorts;
  readonly definitions: DefinitionPorts;
  readonly redemption: RedemptionFixture;
  readonly staff: ReturnType<typeof staffOf>;
  readonly points: Points;
  /** Details that were put away, by user. */
  readonly profiles: Map<string, ProfileDetails>;
  /** Defines and activates a promotion that is granted on an occasion, in the JSON form of the contract. */
  granting(granted: JsonObject, changes?: JsonObject): Promise<Promotion>;
  /** Takes an event in; its id is made up and it happens now unless the test says otherwise. */
  tell(event: EventInit['event'], rest?: Partial<EventInit>): Promise<Told>;
  /** Coupons of a user: promotion ids in alphabetical order. */
  coupons(userId: string): Promise<string[]>;
  close(): Promise<void>;
}

/** An answer in words: `COUPON_ISSUED welcome`, `REFERRAL_NOTED !SELF_REFERRAL`. */
export interface Told {
  readonly outcome: string;
  readonly effects: readonly string[];
}

/** An event as a request. */
export function eventOf(event: EventInit['event'], rest: Partial<EventInit> = {}) {
  return create(IngestEventRequestSchema, {
    eventId: randomUUID(),
    userId: 'ann',
    occurredAt: timestampFromMs(Date.now()),
    event,
    ...rest,
  } as EventInit);
}

/** The name of an enum's value. */
export function nameOf(value: number, names: Readonly<Record<string, number | string>>): string {
  return Object.entries(names).find(([, number]) => number === value)?.[0] ?? '?';
}

/** An effect in words. */
export function inWords({ kind, promotionId, userId, points, refusalReason }: EventEffect): string {
  const refused =
    refusalReason === RefusalReason.UNSPECIFIED ? '' : `!${nameOf(refusalReason, RefusalReason)}`;
  const parts = [
    nameOf(kind, EventEffectKind),
    promotionId,
    userId,
    points === 0n ? '' : String(points),
    refused,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** One run of a job. */
export function runJob(job: Job, nowMs = Date.now()): Promise<JobCounts> {
  return job.run({ signal: new AbortController().signal, nowMs, progress: () => undefined });
}

async function promotionsOf(sql: Sql, redemption: RedemptionFixture, userId: string): Promise<string[]> {
  const wallet = await redemption.ledger.ledger.read(soon(), (reads) => reads.wallet(userId));
  const ids = await Promise.all(
    wallet.map(async ({ promotionRef }) => {
      const [row] = await sql<{ id: string }[]>`select id from promotion where ref = ${promotionRef}`;
      return row?.id ?? `p${promotionRef}`;
    }),
  );
  return ids.toSorted();
}

function definitionsOn(url: string, { ledger: { ledger } }: RedemptionFixture) {
  return definitionPorts(url, {
    define: (definition, deadlineMs) => ledger.define(definition, deadlineMs),
    readStock: (refs, deadlineMs) => ledger.read(deadlineMs, (reads) => reads.stock(refs, undefined)),
    readDefinitionBodies: (deadlineMs) => ledger.read(deadlineMs, (reads) => reads.definitionBodies()),
  });
}

/** Follows the promotions of the database, as a serving process does. */
async function followPromotions(
  url: string,
  { sql, ledger }: DefinitionPorts,
  { ledger: { metrics } }: RedemptionFixture,
): Promise<RuleSetKeeper> {
  const options = {
    applicationName: 'test',
    maxConnections: 1,
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
  };
  const rules = new RuleSetKeeper({
    sql,
    openListener: (events) => createDatabase(url, { ...options, ...events }),
    ledger,
    metrics,
    logger: SILENT,
    pollMs: 50,
    nowMs: Date.now,
  });
  await rules.start();
  return rules;
}

function eventPorts(
  sql: Sql,
  rules: RuleSetKeeper,
  redemption: RedemptionFixture,
  profiles: Map<string, ProfileDetails>,
) {
  const { ledger, metrics } = redemption.ledger;
  const versions = { version: (ref: number) => Promise.resolve(create(PromotionSchema, { ref })) };
  const points = new Points({
    ledger,
    settings: { rates: {}, expiryMonths: 0, timeZone: 'UTC' },
    metrics,
  });
  return {
    sql,
    ledger,
    rules,
    points,
    orders: orderEndings(redemption.redemptions, { ledger, promotions: versions, metrics }),
    profiles: {
      put: async (userId: string, details: ProfileDetails, deadlineMs: number) => {
        const [account] = await ledger.read(deadlineMs, (reads) => reads.records([accountOf(userId)]));
        if (account?.has('x')) throw new Refusal('USER_NOT_FOUND', 'There is no such user');
        profiles.set(userId, details);
      },
    },
    metrics,
    logger: SILENT,
    settings: { waitDays: 30, timeZone: 'Asia/Shanghai' },
    nowMs: Date.now,
  };
}

/** Starts everything; close it in `afterAll`. */
export async function startEventsFixture(): Promise<EventsFixture> {
  const [redemption, database] = await Promise.all([
    startRedemptionFixture({ ledger: { isDivided: true } }),
    createTestDatabase(),
  ]);
  const definitions = definitionsOn(database.url, redemption);
  const { sql } = definitions;
  const rules = await followPromotions(database.url, definitions, redemption);
  const profiles = new Map<string, ProfileDetails>();
  const ports = eventPorts(sql, rules, redemption, profiles);
  const staff = staffOf(definitions);
  return {
    ports,
    definitions,
    redemption,
    staff,
    points: ports.points,
    profiles,
    async granting(granted, changes = {}) {
      const validity = { daysAfterClaim: { days: 30 } };
      const { promotionId } = await staff.create({
        promotion: samplePromotion({ reach: { granted }, validity, ...changes }),
        promotionId: `${Object.keys(granted)[0]?.toLowerCase()}-${randomUUID().slice(0, 8)}`,
      });
      return await staff.activate({ promotionId });
    },
    async tell(event, rest) {
      const { outcome, effects } = await ingestEvent(ports, eventOf(event, rest), soon());
      return { outcome: nameOf(outcome, EventOutcome), effects: effects.map(inWords) };
    },
    coupons: (userId) => promotionsOf(sql, redemption, userId),
    async close() {
      await rules.stop();
      await sql.end({ timeout: 1 });
      await redemption.close();
      await database.drop();
    },
  };
}

/** What is known of a user. */
export function factsOf({ ports }: EventsFixture, userId: string) {
  return storedFacts(ports.ledger, userId, soon());
}
