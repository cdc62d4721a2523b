/** Staff's methods over a real Postgres, for tests of definitions. */
import { randomUUID } from 'node:crypto';
import { create, fromJson, type JsonObject, type MessageInitShape } from '@bufbuild/protobuf';
import { createDatabase, type Sql } from '../src/database/client.ts';
import type { DefinitionLedger } from '../src/definitions/definition-ledger.ts';
import type { DefinitionPorts } from '../src/definitions/definition-ports.ts';
import { archiveProgress } from '../src/definitions/store/archive-progress.ts';
import type { LiveDefinition } from '../src/domain/live-definition.ts';
import { Refusal, type RefusalReason } from '../src/domain/refusal.ts';
import { type Promotion, PromotionSchema } from '../src/gen/hongbao/v1/promotion_pb.ts';
import {
  ActivatePromotionRequestSchema,
  CreatePromotionRequestSchema,
  DeactivatePromotionRequestSchema,
  DeletePromotionRequestSchema,
  FinishPromotionRequestSchema,
  GetPromotionRequestSchema,
  ListAuditEntriesRequestSchema,
  ListPromotionsRequestSchema,
  ListPromotionVersionsRequestSchema,
  UpdatePromotionRequestSchema,
} from '../src/gen/hongbao/v1/promotion_service_pb.ts';
import type { CallContext } from '../src/transport/call-context.ts';
import { activatePromotion } from '../src/transport/handlers/activate-promotion.ts';
import { createPromotion } from '../src/transport/handlers/create-promotion.ts';
import { deactivatePromotion } from '../src/transport/handlers/deactivate-promotion.ts';
import { deletePromotion } from '../src/transport/handlers/delete-promotion.ts';
import { finishPromotion } from '../src/transport/handlers/finish-promotion.ts';
import { getPromotion } from '../src/transport/handlers/get-promotion.ts';
import { listAuditEntries } from '../src/transport/handlers/list-audit-entries.ts';
import { listPromotionVersions } from '../src/transport/handlers/list-promotion-versions.ts';
import { listPromotions } from '../src/transport/handlers/list-promotions.ts';
import { updatePromotion } from '../src/transport/handlers/update-promotion.ts';

const DEADLINE_MS = 10_000;

/** A ledger that can be away; it keeps what was defined and the counts a test sets. */
export class SwitchableLedger implements DefinitionLedger {
  isDown = false;
  readonly defined = new Map<number, LiveDefinition>();
  readonly issued = new Map<number, number>();
  private seq = 0;

  async define(definition: LiveDefinition) {
    this.requireUp();
    const current = this.defined.get(definition.ref);
    if (current === undefined || current.version < definition.version) {
      this.defined.set(definition.ref, definition);
      this.seq += 1;
    }
    return { seqs: [this.seq], issued: this.issued.get(definition.ref) ?? 0 };
  }

  async readStock(refs: readonly number[]) {
    this.requireUp();
    return refs.map((ref) => ({ ref, issued: this.issued.get(ref) ?? 0 }));
  }

  async readDefinitionBodies() {
    this.requireUp();
    return [...this.defined.values()].map(({ ref, version, body }) => ({ ref, version, body }));
  }

  private requireUp(): void {
    if (this.isDown) throw new Refusal('LEDGER_UNAVAILABLE', 'the ledger is away');
  }
}

/** A call by staff, as the transport hands it to a handler. */
export function staffCall(changes: Partial<CallContext> = {}): CallContext {
  const nowMs = Date.now();
  return {
    identity: { kind: 'marketing', actor: 'mia', scopes: new Set() },
    nowMs,
    deadlineMs: nowMs + DEADLINE_MS,
    signal: new AbortController().signal,
    ...changes,
  };
}

/** A promotion without faults; `changes` replaces top-level fields, in the JSON form of the contract. */
export function samplePromotion(changes: JsonObject = {}): Promotion {
  return fromJson(PromotionSchema, {
    name: { en: 'Spring', zh: '春季' },
    currency: 'CNY',
    effect: { fixedAmountOff: { amountMinor: 1000 } },
    reach: { claimable: {} },
    ...changes,
  });
}

/** The methods of staff, called directly. Ids of requests are made up unless a test gives one. */
export function staffOf(ports: DefinitionPorts) {
  const requestId = (): string => randomUUID();
  return {
    create: async (
      request: MessageInitShape<typeof CreatePromotionRequestSchema>,
      context: CallContext = staffCall(),
    ) => {
      const filled = { promotion: samplePromotion(), requestId: requestId(), ...request };
      return promotionIn(await createPromotion(ports)(create(CreatePromotionRequestSchema, filled), context));
    },
    update: async (
      request: MessageInitShape<typeof UpdatePromotionRequestSchema>,
      context: CallContext = staffCall(),
    ) => {
      const filled = { requestId: requestId(), ...request };
      return promotionIn(await updatePromotion(ports)(create(UpdatePromotionRequestSchema, filled), context));
    },
    activate: async (
      request: MessageInitShape<typeof ActivatePromotionRequestSchema>,
      context: CallContext = staffCall(),
    ) => {
      const filled = { requestId: requestId(), ...request };
      return promotionIn(
        await activatePromotion(ports)(create(ActivatePromotionRequestSchema, filled), context),
      );
    },
    deactivate: async (request: MessageInitShape<typeof DeactivatePromotionRequestSchema>) => {
      const filled = { requestId: requestId(), ...request };
      return promotionIn(
        await deactivatePromotion(ports)(create(DeactivatePromotionRequestSchema, filled), staffCall()),
      );
    },
    finish: async (request: MessageInitShape<typeof FinishPromotionRequestSchema>) => {
      const filled = { requestId: requestId(), ...request };
      return promotionIn(
        await finishPromotion(ports)(create(FinishPromotionRequestSchema, filled), staffCall()),
      );
    },
    remove: async (
      request: MessageInitShape<typeof DeletePromotionRequestSchema>,
      context: CallContext = staffCall(),
    ) => {
      const filled = { requestId: requestId(), ...request };
      await deletePromotion(ports)(create(DeletePromotionRequestSchema, filled), context);
    },
    get: async (
      request: MessageInitShape<typeof GetPromotionRequestSchema>,
      context: CallContext = staffCall(),
    ) => promotionIn(await getPromotion(ports)(create(GetPromotionRequestSchema, request), context)),
    list: async (request: MessageInitShape<typeof ListPromotionsRequestSchema>) => {
      const page = await listPromotions(ports)(create(ListPromotionsRequestSchema, request), staffCall());
      const promotions = (page.promotions ?? []).map((promotion) => create(PromotionSchema, promotion));
      return { promotions, nextPageToken: page.nextPageToken ?? '' };
    },
    versions: async (request: MessageInitShape<typeof ListPromotionVersionsRequestSchema>) => {
      const message = create(ListPromotionVersionsRequestSchema, request);
      return await listPromotionVersions(ports)(message, staffCall());
    },
    audit: async (request: MessageInitShape<typeof ListAuditEntriesRequestSchema>) =>
      await listAuditEntries(ports)(create(ListAuditEntriesRequestSchema, request), staffCall()),
  };
}

/** What definitions work with, over the database at `url`. */
export function definitionPorts(
  url: string,
  ledger: DefinitionLedger,
): DefinitionPorts & { readonly sql: Sql } {
  const sql = createDatabase(url, {
    applicationName: 'test',
    maxConnections: 4,
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
  });
  return { sql, ledger, archive: archiveProgress(sql), newPromotionId: () => `p-${randomUUID()}` };
}

/** Takes away what a database restored to an older state lacks: versions after `kept`, or the whole promotion. */
export async function forgetPromotion(sql: Sql, promotionId: string, kept = 0): Promise<void> {
  const [row] = await sql<{ ref: number }[]>`select ref from promotion where id = ${promotionId}`;
  const ref = row?.ref ?? 0;
  await sql`delete from definition_outbox where ref = ${ref}`;
  await sql`delete from definition_delivery where ref = ${ref}`;
  await sql`delete from request_record where ref = ${ref} and version > ${kept}`;
  await sql`delete from audit_entry where ref = ${ref} and to_version > ${kept}`;
  await sql`delete from promotion_version where ref = ${ref} and version > ${kept}`;
  if (kept === 0) await sql`delete from promotion where ref = ${ref}`;
  else
    await sql`
      update promotion p set version = v.version, rule_set_version = v.rule_set_version
      from promotion_version v where p.ref = ${ref} and v.ref = p.ref and v.version = ${kept}`;
  await sql`update rule_set set version = (select coalesce(max(rule_set_version), 0) from promotion_version)`;
}

/** The reason a call was refused for; fails the test when it was not. */
export async function reasonOf(call: Promise<unknown>): Promise<RefusalReason> {
  return (await refusalOf(call)).reason;
}

/** The refusal a call ended with; fails the test when it did not. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  const outcome = await call.catch((error: unknown) => error);
  if (outcome instanceof Refusal) return outcome;
  throw outcome instanceof Error ? outcome : new Error('the call was not refused');
}

function promotionIn({
  promotion,
}: {
  promotion?: MessageInitShape<typeof PromotionSchema> | undefined;
}): Promotion {
  if (promotion === undefined) throw new Error('the answer holds no promotion');
  return create(PromotionSchema, promotion);
}
