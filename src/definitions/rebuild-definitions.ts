/**
 * Brings back what Postgres lost of definitions when it was restored to an older state: the ledger has every promotion in its last
 * version, and the archive has what the ledger has. Versions in between, and who made them, are gone.
 */
import { createHash } from 'node:crypto';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { Sql } from '../database/client.ts';
import { violatedUniqueConstraint } from '../database/database-faults.ts';
import { PromotionState } from '../gen/hongbao/v1/promotion_pb.ts';
import { type ChangeRecord, commitVersion, insertPromotion } from './store/commit-version.ts';
import { type BodyRow, type StoredPromotion, storedPromotion } from './store/stored-promotion.ts';

/** How it is asked for, and who hears of it. */
export interface RebuildDefinitionsOrder {
  readonly sql: Sql;
  /** False: only say what would be done. */
  readonly isConfirmed: boolean;
  readonly say: (line: string) => void;
  readonly nowMs: () => number;
}

/** What became of it. `refused`: an id or a ref was given to another promotion meanwhile; the lines name it, all others are back. */
export type DefinitionsOutcome = 'rebuilt' | 'nothing to do' | 'only looked' | 'refused';

/** A promotion as Postgres has it. */
interface Known {
  readonly ref: number;
  readonly id: string;
  readonly version: number;
}

/** A promotion that the ledger has in a later version. */
interface Behind {
  readonly stored: StoredPromotion;
  /** What Postgres has under its ref; undefined = nothing. */
  readonly known: Known | undefined;
}

/** Time for one write, ms. */
const WRITE_MS = 10_000;
const ACTOR = 'hongbao rebuild';
const REASON = 'brought back from the ledger after Postgres was restored';

/** Compares, and writes what is missing. May be cut off anywhere and done again. */
export async function rebuildDefinitions(order: RebuildDefinitionsOrder): Promise<DefinitionsOutcome> {
  const { sql, isConfirmed, say } = order;
  const behind = await readBehind(sql);
  for (const { stored, known } of behind) {
    const { promotionId, version } = stored.promotion;
    const has = known?.id === promotionId ? `has version ${known.version}` : 'does not have it';
    say(`promotion ${promotionId}: the ledger has version ${version}, Postgres ${has}`);
  }
  if (behind.length === 0) return 'nothing to do';
  if (!isConfirmed) return 'only looked';
  let refused = 0;
  for (const promotion of behind) if (!(await bringBack(order, promotion))) refused += 1;
  await passRefs(sql);
  say(`promotions brought back: ${behind.length - refused}`);
  return refused > 0 ? 'refused' : 'rebuilt';
}

/** Every partition has every promotion, and a change may have reached one of them only: the latest counts. */
async function readBehind(sql: Sql): Promise<readonly Behind[]> {
  const rows = await sql<BodyRow[]>`
    select f.value as body
    from ledger_field f join ledger_generation g on g.generation = f.generation and g.state = 'current'
    where f.target = 'promotion' and f.field = 'body'::bytea`;
  const latest = new Map<number, StoredPromotion>();
  for (const row of rows) {
    const stored = storedPromotion(row);
    const { ref, version } = stored.promotion;
    if (version > (latest.get(ref)?.promotion.version ?? 0)) latest.set(ref, stored);
  }
  const known = await sql<Known[]>`select ref, id, version from promotion`;
  const byRef = new Map(known.map((row) => [row.ref, row]));
  return [...latest.values()]
    .map((stored) => ({ stored, known: byRef.get(stored.promotion.ref) }))
    .filter(
      ({ stored: { promotion }, known: row }) =>
        !(row?.id === promotion.promotionId && row.version >= promotion.version),
    )
    .toSorted((left, right) => left.stored.promotion.ref - right.stored.promotion.ref);
}

async function bringBack(
  { sql, say, nowMs }: RebuildDefinitionsOrder,
  { stored, known }: Behind,
): Promise<boolean> {
  const { promotion } = stored;
  const refuse = (what: string): false => {
    say(`promotion ${promotion.promotionId}: its ${what} meanwhile; it stays in the ledger only`);
    return false;
  };
  if (known !== undefined && known.id !== promotion.promotionId)
    return refuse(`ref was given to promotion ${known.id}`);
  const record = recordOf(stored, known?.version, nowMs());
  const deadlineMs = nowMs() + WRITE_MS;
  try {
    if (known === undefined) await insertPromotion(sql, promotion, record, deadlineMs);
    else await commitVersion(sql, promotion, record, deadlineMs, known.version);
    return true;
  } catch (error) {
    if (violatedUniqueConstraint(error) !== 'promotion_id_is_unique') throw error;
    return refuse('id was given to another one');
  }
}

function recordOf(
  { promotion, body }: StoredPromotion,
  before: number | undefined,
  nowMs: number,
): ChangeRecord {
  const isDeleted = promotion.state === PromotionState.DELETED;
  return {
    action: isDeleted ? 'deleted' : before === undefined ? 'created' : 'updated',
    method: 'rebuild',
    requestId: `${promotion.ref}/${promotion.version}`,
    contentDigest: createHash('sha256').update(body).digest(),
    actor: ACTOR,
    reason: REASON,
    changedFields: [],
    alsoIssued: false,
    atMs: promotion.updatedAt === undefined ? nowMs : timestampMs(promotion.updatedAt),
  };
}

/** No later promotion may get a ref that one of these has. */
async function passRefs(sql: Sql): Promise<void> {
  await sql`
    select setval('promotion_ref', greatest((select last_value from promotion_ref), (select max(ref) from promotion)))`;
}
