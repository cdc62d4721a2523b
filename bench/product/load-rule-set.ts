/**
 * Puts a whole rule set into the definitions at once. Ten thousand calls of the API would take minutes; the rows are those that the
 * calls would have written, without the audit log, and the service learns of them as of any change.
 */
import { toBinary } from '@bufbuild/protobuf';
import postgres from 'postgres';
import { bytesArray, plainArray, textArray } from '../../src/database/array-literal.ts';
import { effectKind, reachKind } from '../../src/definitions/promotion-kinds.ts';
import type { PromotionDefinition } from '../../src/domain/promotion.ts';
import { type Promotion, PromotionSchema } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import { promotionMessage } from './promotion-message.ts';

/** Rows per statement. */
const BATCH = 1_000;

/** The service's notification of changes. */
const CHANNEL = 'hongbao_rule_set';

/** What the database made of a rule set. */
export interface LoadedRuleSet {
  /** The rule-set version that holds all of it. */
  readonly version: number;
  /** The refs it gave, by the refs of the definitions. */
  readonly refs: ReadonlyMap<number, number>;
}

/** Inserts the promotions; their ids must be new. */
export async function loadRuleSet(
  databaseUrl: string,
  definitions: readonly PromotionDefinition[],
): Promise<LoadedRuleSet> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const refs = await takeRefs(sql, definitions);
    for (let at = 0; at < definitions.length; at += BATCH) {
      const batch = definitions.slice(at, at + BATCH);
      await insertBatch(
        sql,
        batch.map((definition) => withRef(definition, refs.get(definition.ref) ?? 0)),
      );
    }
    const [row] = await sql<{ version: string }[]>`select version from rule_set`;
    const version = Number(row?.version ?? 0);
    await sql`select pg_notify(${CHANNEL}, ${String(version)})`;
    return { version, refs };
  } finally {
    await sql.end();
  }
}

async function takeRefs(
  sql: postgres.Sql,
  definitions: readonly PromotionDefinition[],
): Promise<ReadonlyMap<number, number>> {
  const rows = await sql<{ ref: number }[]>`
    select nextval('promotion_ref')::integer as ref from generate_series(1, ${definitions.length}::integer)`;
  return new Map(definitions.map((definition, index) => [definition.ref, rows[index]?.ref ?? 0]));
}

function withRef(definition: PromotionDefinition, ref: number): Promotion {
  return promotionMessage({ ...definition, ref }, Date.now());
}

/** One statement, as every change of definitions is: readers see all of it or nothing. */
async function insertBatch(sql: postgres.Sql, promotions: readonly Promotion[]): Promise<void> {
  const column = <T>(read: (promotion: Promotion) => T): T[] => promotions.map(read);
  await sql`
    with bumped as (
      update rule_set set version = version + ${promotions.length}::integer
      returning version - ${promotions.length}::integer as before
    ),
    rows as (
      select *
      from unnest(
        ${plainArray(column(({ ref }) => ref))}::integer[],
        ${textArray(column(({ promotionId }) => promotionId))}::text[],
        ${plainArray(column(({ reach }) => reachKind(reach)))}::smallint[],
        ${plainArray(column(({ effect }) => effectKind(effect)))}::smallint[],
        ${plainArray(column(({ priority }) => priority))}::integer[],
        ${bytesArray(column((promotion) => Buffer.from(toBinary(PromotionSchema, promotion))))}::bytea[]
      ) with ordinality as row (ref, id, way, effect, priority, body, place), bumped
    ),
    inserted as (
      insert into promotion (ref, id, version, state, category, way, effect, currency, priority, tags, searchable,
        created_at, updated_at, rule_set_version)
      select ref, id, 1, 'active', 1, way, effect, 'CNY', priority, '{}', id, now(), now(), before + place from rows
    )
    insert into promotion_version (ref, version, body, actor, at, also_issued, rule_set_version)
    select ref, 1, body, 'bench', now(), false, before + place from rows`;
}
