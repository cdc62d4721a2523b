/** Events of the shop over a real ledger and a real Postgres, with promotions that staff define. */
import { randomUUID } from 'node:crypto';
import { create, type JsonObject, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { pino } from 'pino';
import type { Sql } from '../src/database/client.ts';
import { createDatabase } from '../src/database/client.ts';
import type { DefinitionPorts } from '../src/definitions/definition-ports.ts';
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
import { Points } from '../src/points/points.ts';
import { RuleSetKeeper } from '../src/ruleset/rule-set-keeper.ts';
import { createTestDatabase } from './database.ts';
import { definitionPorts, samplePromotion, staffOf } from './definition-fixture.ts';
import { soon } from './ledger-fixture.ts';
import { type RedemptionFixture, startRedemptionFixture } from './redemption-fixture.ts';

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

/** Starts everything; close it in `afterAll`. */
export async function startEventsFixture(): Promise<EventsFixture> {
  const [redemption, database] = await Promise.all([startRedemptionFixture(), createTestDatabase()]);
  const { ledger, metrics } = redemption.ledger;
  const logger = pino({ level: 'silent' });
  const definitions = definitionPorts(database.url, {
    define: (definition, deadlineMs) => ledger.define(definition, deadlineMs),
    readStock: (refs, deadlineMs) => ledger.read(deadlineMs, (reads) => reads.stock(refs, undefined)),
    readDefinitionBodies: (deadlineMs) => ledger.read(deadlineMs, (reads) => reads.definitionBodies()),
  });
  const { sql } = definitions;
  const options = {
    applicationName: 'test',
    maxConnections: 1,
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
  };
  const rules = new RuleSetKeeper({
    sql,
    openListener: (events) => createDatabase(database.url, { ...options, ...events }),
    ledger: definitions.ledger,
    metrics,
    logger,
    pollMs: 50,
    nowMs: Date.now,
  });
  await rules.start();
  const points = new Points({
    ledger,
    settings: { rates: {}, expiryMonths: 0, timeZone: 'UTC' },
    metrics,
  });
  const profiles = new Map<string, ProfileDetails>();
  const versions = { version: (ref: number) => Promise.resolve(create(PromotionSchema, { ref })) };
  const ports: EventPorts = {
    sql,
    ledger,
    rules,
    points,
    orders: orderEndings(redemption.redemptions, { ledger, promotions: versions, metrics }),
    profiles: {
      put: (userId, details) => Promise.resolve(void profiles.set(userId, details)),
    },
    metrics,
    logger,
    settings: { waitDays: 30, timeZone: 'Asia/Shanghai' },
    nowMs: Date.now,
  };
  const staff = staffOf(definitions);
  return {
    ports,
    definitions,
    redemption,
    staff,
    points,
    profiles,
    async granting(granted, changes = {}) {
      const { promotionId } = await staff.create({
        promotion: samplePromotion({
          reach: { granted },
          validity: { daysAfterClaim: { days: 30 } },
          ...changes,
        }),
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
