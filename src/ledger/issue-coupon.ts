/**
 * Issuing a coupon other than by a claim: by grant, code, exchange or event. The steps are the same everywhere, so they stand
 * here once: the coupon is there already (done before), or the promotion is as it was read, its stock and the user's limit
 * allow one more, and the wallet gets it.
 */
import { encodeCouponValue } from '../domain/coupon.ts';
import { MS_PER_DAY } from '../domain/durations.ts';
import { Refusal, type RefusalReason } from '../domain/refusal.ts';
import { couponFieldHex } from './coupon-field.ts';
import { noSuchUser, userExists } from './erased-user.ts';
import {
  type IssuedCoupon,
  type IssueRequest,
  issuedBy,
  issuedCoupon,
  issuedUnless,
} from './issued-coupon.ts';
import { unchanged } from './leases/lease-shape.ts';
import type { Ledger } from './ledger.ts';
import { decodeLiveDefinition, type StoredDefinition } from './live-definition.ts';
import { claimCounterField, PROMOTION_FIELDS } from './record-fields.ts';
import { type Outcome, promotionOf, type StampedTime, type Step, walletOf } from './transaction.ts';

export type { IssuedCoupon, IssueRequest } from './issued-coupon.ts';

/** The steps of an issue, and how to read what became of them. */
export interface IssuePlan {
  readonly steps: readonly Step[];
  /** Version of the definition that it is decided by. */
  readonly version: number;
  /** The issued coupon, given the time of the decision. */
  coupon(nowMs: number): IssuedCoupon;
  /** The coupon an earlier attempt left. Throws REQUEST_ID_REUSED when it is one of another promotion. */
  replayed(value: Buffer): IssuedCoupon;
  /** Why the step at this place stopped it; undefined: because something had changed, read and plan again. */
  refusalAt(outcome: Exclude<Outcome, { kind: 'done' | 'replayed' }>): Refusal | undefined;
}

const ISSUED_AT_OFFSET = 12;
const VALID_FROM_OFFSET = 18;
const EXPIRES_OFFSET = 24;
const LAST_INSTANT_MS = 2 ** 48 - 1;

const STATE_REFUSALS: Readonly<Record<StoredDefinition['state'], RefusalReason | undefined>> = {
  active: undefined,
  inactive: 'PROMOTION_INACTIVE',
  finished: 'PROMOTION_ENDED',
  deleted: 'PROMOTION_NOT_FOUND',
};

const MESSAGES: Partial<Record<RefusalReason, string>> = {
  PROMOTION_NOT_FOUND: 'There is no such promotion',
  PROMOTION_INACTIVE: 'The promotion is not active',
  PROMOTION_NOT_STARTED: 'Claiming has not started',
  PROMOTION_ENDED: 'Claiming has ended',
  USER_LIMIT_REACHED: 'The user has all coupons of the promotion that one user may have',
  SOLD_OUT: 'Nothing is left',
  WALLET_FULL: 'The wallet holds as many coupons as it may',
};

function refuse(reason: RefusalReason, metadata: Record<string, string> = {}): Refusal {
  return new Refusal(reason, MESSAGES[reason] ?? reason, { metadata });
}

/** The stamped coupon: its bytes but for the times the script puts in, and those. */
function stampedValue(request: IssueRequest, definition: StoredDefinition, nowMs: number) {
  const { validity } = definition;
  const times: StampedTime[] = [{ offset: ISSUED_AT_OFFSET, plusMs: 0 }];
  const startMs = validity.kind === 'fixed' ? (validity.startMs ?? 0) : 0;
  if (startMs <= nowMs) times.push({ offset: VALID_FROM_OFFSET, plusMs: 0 });
  if (validity.kind === 'days') times.push({ offset: EXPIRES_OFFSET, plusMs: validity.days * MS_PER_DAY });
  const value = encodeCouponValue({
    state: 'unused',
    source: request.source,
    hidden: false,
    promotionRef: request.promotionRef,
    promotionVersion: definition.version,
    issuedAtMs: 0,
    validFromMs: startMs > nowMs ? startMs : 0,
    ...(validity.kind === 'fixed' && validity.endMs !== undefined && { expiresAtMs: validity.endMs }),
  });
  return { value: Buffer.from(value), times };
}

function stamped(value: Buffer, times: readonly StampedTime[], nowMs: number): Buffer {
  const bytes = Buffer.from(value);
  for (const { offset, plusMs } of times) bytes.writeUIntBE(nowMs + plusMs, offset, 6);
  return bytes;
}

/** The window a new coupon may be issued in; a promotion whose fixed dates are over gives none. */
function windowOf(
  definition: StoredDefinition,
  minded: IssueRequest['minded'],
): { fromMs: number; toMs: number } {
  const validUntilMs =
    definition.validity.kind === 'fixed' ? (definition.validity.endMs ?? LAST_INSTANT_MS) : LAST_INSTANT_MS;
  if (minded === 'nothing') return { fromMs: 0, toMs: validUntilMs };
  return {
    fromMs: definition.claimStartMs ?? 0,
    toMs: Math.min(definition.claimEndMs ?? LAST_INSTANT_MS, validUntilMs),
  };
}

/** How many coupons the partition was given to issue; undefined = any number. */
function receivedOf(record: ReadonlyMap<string, Buffer>): number | undefined {
  const text = record.get(PROMOTION_FIELDS.received.name)?.toString('latin1') ?? '';
  return text === '' ? undefined : Number(text);
}

/**
 * The steps that issue one coupon, decided on the promotion's record as read. They may stand before or after other steps of
 * a transaction; `firstStep` is their place in it. A record without a definition is refused as PROMOTION_NOT_FOUND: bring it
 * by `ledger.ensureDefined` first. That the promotion is active is checked here, after what was done before: see `steps`.
 */
export function planIssue(
  request: IssueRequest,
  record: ReadonlyMap<string, Buffer>,
  nowMs: number,
  firstStep = 0,
): IssuePlan {
  const bytes = record.get(PROMOTION_FIELDS.definition.name);
  if (bytes === undefined) throw refuse('PROMOTION_NOT_FOUND');
  const definition = decodeLiveDefinition(bytes);
  const fieldHex = couponFieldHex(request.kind, request.userId, request.requestId);
  const field = Buffer.from(fieldHex, 'hex');
  const wallet = walletOf(request.userId);
  const promotion = promotionOf(request.promotionRef);
  const { value, times } = stampedValue(request, definition, nowMs);
  const window = windowOf(definition, request.minded);
  const received = receivedOf(record);
  const limit = definition.perUserLimit;
  const steps: readonly Step[] = [
    { kind: 'replay', on: wallet, field },
    userExists(request.userId),
    { kind: 'expect', on: promotion, field: PROMOTION_FIELDS.definition.bytes, value: bytes },
    { kind: 'within', ...window },
    {
      kind: 'add',
      on: wallet,
      field: claimCounterField(request.promotionRef),
      delta: 1,
      ...(limit !== undefined && { max: limit }),
    },
    // Where partitions share the stock, units may have gone elsewhere since the record was read.
    ...unchanged(promotion, [PROMOTION_FIELDS.received], record),
    {
      kind: 'add',
      on: promotion,
      field: PROMOTION_FIELDS.issued.bytes,
      delta: 1,
      ...(received !== undefined && { max: received }),
    },
    { kind: 'live', userId: request.userId, change: 1 },
    { kind: 'set', on: wallet, field, value, times },
  ];
  const refusals: Readonly<Record<number, (seen: number) => Refusal>> = {
    4: (seen) => refuse('USER_LIMIT_REACHED', { per_user_limit: String(limit), issued: String(seen) }),
    6: (seen) => refuse('SOLD_OUT', { quantity: String(received), issued: String(seen) }),
    7: (seen) => refuse('WALLET_FULL', { live_coupons: String(seen) }),
  };
  return {
    steps,
    version: definition.version,
    coupon: (decidedAtMs) => issuedCoupon(stamped(value, times, decidedAtMs), fieldHex, false),
    replayed: (held) => issuedBy(request, held),
    refusalAt: (outcome) => {
      const step = outcome.step - firstStep;
      if (outcome.kind === 'outside' && step === 3)
        return refuse(outcome.nowMs < window.fromMs ? 'PROMOTION_NOT_STARTED' : 'PROMOTION_ENDED');
      if (outcome.kind === 'differs' && step === 1) return noSuchUser();
      return outcome.kind === 'out_of_bounds' ? refusals[step]?.(outcome.value) : undefined;
    },
  };
}

/** Why a promotion's state allows no new coupon; undefined when it does. */
export function stateRefusal(record: ReadonlyMap<string, Buffer>): Refusal | undefined {
  const bytes = record.get(PROMOTION_FIELDS.definition.name);
  const reason =
    bytes === undefined ? 'PROMOTION_NOT_FOUND' : STATE_REFUSALS[decodeLiveDefinition(bytes).state];
  return reason === undefined ? undefined : refuse(reason);
}

/**
 * Issues a coupon, or answers with the one an earlier attempt of the same request issued. Throws the refusals of a claim
 * (not found, inactive, not started, ended, limit reached, sold out, wallet full, request id reused) and those of
 * `ledger.transact`.
 *
 * @param judge why the promotion as read gives this user no coupon, before stock and limits are asked; asked again when it
 *   had changed
 */
export async function issueCoupon(
  ledger: Ledger,
  request: IssueRequest,
  deadlineMs: number,
  judge: (
    record: ReadonlyMap<string, Buffer>,
  ) => Refusal | undefined | Promise<Refusal | undefined> = stateRefusal,
): Promise<IssuedCoupon> {
  for (;;) {
    const record = await readPromotion(ledger, request, deadlineMs);
    const refusal = await judge(record);
    if (refusal !== undefined) {
      const before = await issuedUnless(refusal, ledger, request, record, deadlineMs);
      if (before === undefined) continue;
      return before;
    }
    const plan = planIssue(request, record, ledger.nowMs());
    const transaction = { event: request.event, opensNew: true, steps: plan.steps };
    const outcome = await ledger.transact(transaction, deadlineMs);
    if (outcome.kind === 'done') return plan.coupon(outcome.nowMs);
    if (outcome.kind === 'replayed') return plan.replayed(outcome.value);
    const stopped = await afterSharing(ledger, request, plan, plan.refusalAt(outcome));
    if (stopped !== undefined) throw stopped;
  }
}

/**
 * What an issue is refused with where several partitions share the stock: undefined when the user's partition has got more of
 * it, so that the issue is to be planned again. Throws LEDGER_UNAVAILABLE when it cannot be known whether any is left.
 */
export async function afterSharing(
  ledger: Pick<Ledger, 'leases'>,
  { promotionRef, userId }: IssueRequest,
  { version }: IssuePlan,
  refusal: Refusal | undefined,
): Promise<Refusal | undefined> {
  if (refusal?.reason !== 'SOLD_OUT') return refusal;
  const end = await ledger.leases.obtainStock(promotionRef, version, userId);
  if (end.kind === 'granted') return undefined;
  if (end.limit === undefined) return refusal;
  return refuse('SOLD_OUT', { quantity: String(end.limit), issued: String(end.used) });
}

/**
 * The record of a promotion in the partition of a user, delivered to the ledger first where it is missing. Throws
 * PROMOTION_NOT_FOUND and LEDGER_*.
 */
export async function readPromotion(
  ledger: Ledger,
  { promotionRef, userId }: Pick<IssueRequest, 'promotionRef' | 'userId'>,
  deadlineMs: number,
): Promise<Map<string, Buffer>> {
  const partition = ledger.partitionOf(userId);
  const names = [promotionOf(promotionRef)];
  const [record] = await ledger.recordsAt(partition, names, deadlineMs);
  if (record?.has(PROMOTION_FIELDS.definition.name)) return record;
  await ledger.ensureDefined(promotionRef, deadlineMs);
  const [defined] = await ledger.recordsAt(partition, names, deadlineMs);
  return defined ?? new Map();
}
