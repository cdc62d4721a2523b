/** What a product on paper does with coupons and points: it decides as the contract says and writes the events. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  type CouponSource,
  type CouponState,
  couponIdOf,
  decodeCouponValue,
  encodeCouponValue,
} from '../../../../src/domain/coupon.ts';
import {
  availablePoints,
  decodePointsState,
  earn,
  encodePointsState,
  NO_POINTS,
  type PointsChange,
  type PointsState,
  spend,
} from '../../../../src/domain/points.ts';
import { encodePointsEntry, type PointsEntry } from '../../../../src/domain/points-entry.ts';
import {
  type Promotion,
  PromotionSchema,
  PromotionState,
} from '../../../../src/gen/hongbao/v1/promotion_pb.ts';
import { couponFieldHex, type IssueKind } from '../../../../src/ledger/coupon-field.ts';
import type { EventKind } from '../../../../src/ledger/event-format.ts';
import { homePartition, partitionOf } from '../../../../src/ledger/keys.ts';
import { ACCOUNT_FIELDS, claimCounterField } from '../../../../src/ledger/record-fields.ts';
import type { Answer } from '../history.ts';
import { PaperPartition, type PaperWrite } from './paper-ledger.ts';

/** What a call comes to. */
export type PaperEnd = { readonly answer: Answer } | { readonly refused: string };

/** What a promotion of the sample allows. */
export interface PaperPromotion {
  readonly ref: number;
  readonly promotionId: string;
  readonly version: number;
  readonly isActive: boolean;
  readonly quantity: number | undefined;
  readonly perUser: number;
  readonly usesTotal: number | undefined;
  readonly budgetMinor: number | undefined;
}

const MONTH = 202611;
/** What one coupon of an exchange costs. */
export const PAPER_PRICE = 30;

/** Bytes as the records of these tests have them. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** A counter of a partition as a number. */
export function counter(
  partition: PaperPartition,
  write: Pick<PaperWrite, 'target' | 'id'>,
  name: string,
): number {
  return Number(partition.field(write.target, write.id, name) ?? 0);
}

/** The product on paper: partitions and a clock. */
export class PaperProduct {
  readonly partitions: readonly PaperPartition[];
  readonly promotions = new Map<string, PaperPromotion>();
  nowMs = 1_795_000_000_000;

  constructor(partitions: number) {
    this.partitions = Array.from({ length: partitions }, (_, number) => new PaperPartition(number));
    for (const partition of this.partitions) partition.write(this.nowMs, 'opened', []);
  }

  /** The partition of a user. */
  of(userId: string): PaperPartition {
    return this.at(partitionOf(userId, this.partitions.length));
  }

  private at(number: number): PaperPartition {
    const partition = this.partitions[number];
    if (partition === undefined) throw new RangeError(`no partition ${number}`);
    return partition;
  }

  /** Defines a promotion, or a later version of one. Stock is shared out evenly when there are several partitions. */
  define(promotion: PaperPromotion): Answer {
    const { ref, promotionId, version, quantity } = promotion;
    this.promotions.set(promotionId, promotion);
    const count = this.partitions.length;
    const shares = this.partitions.map((_, number) => shareOf(quantity, count, number));
    if (count > 1 && quantity !== undefined) {
      const grants = Object.fromEntries(shares.map((share, number) => [`g${number}`, String(share)]));
      const pool = { q: String(quantity), t: String(quantity), ...grants };
      this.at(homePartition(ref, count)).write(this.nowMs, 'leased', [
        { target: 'pool', id: String(ref), fields: pool },
      ]);
    }
    for (const [number, partition] of this.partitions.entries()) {
      const share = shares[number];
      const received = share === undefined ? '' : String(share);
      const issued = String(counter(partition, { target: 'promotion', id: String(ref) }, 'issued'));
      const lease = count > 1 && share !== undefined ? { granted: received } : {};
      const fields = { body: bodyOf(promotion), issued, received, ...lease };
      partition.write(this.nowMs, 'defined', [
        { target: 'promotion', id: String(ref), fields },
        { target: 'index', id: '', fields: { [promotionId]: String(ref) } },
      ]);
    }
    return {
      promotionId,
      promotionVersion: version,
      promotionState: promotion.isActive ? 'active' : 'inactive',
    };
  }

  /** Issues a coupon, or says why not. */
  issue(kind: IssueKind, userId: string, promotionId: string, requestId: string): PaperEnd {
    const promotion = this.promotions.get(promotionId);
    if (promotion === undefined) return { refused: 'PROMOTION_NOT_FOUND' };
    const fieldHex = couponFieldHex(kind, userId, requestId);
    const field = Buffer.from(fieldHex, 'hex').toString('latin1');
    const partition = this.of(userId);
    const held = partition.field('wallet', userId, field);
    if (held !== undefined) return { answer: this.couponAnswer(fieldHex, held, promotionId, true) };
    const refused = this.refusalOf(partition, promotion, userId);
    if (refused !== undefined) return { refused };
    const spent = kind === 'exchange' ? spend(this.pointsOf(userId), PAPER_PRICE) : undefined;
    if (kind === 'exchange' && spent === undefined) return { refused: 'INSUFFICIENT_POINTS' };
    const value = this.couponBytes(promotion, kind === 'exchange' ? 'points' : 'claim');
    const [ref, counterName] = [String(promotion.ref), claimCounterField(promotion.ref).toString('latin1')];
    const claims = counter(partition, { target: 'wallet', id: userId }, counterName) + 1;
    const issued = counter(partition, { target: 'promotion', id: ref }, 'issued') + 1;
    const paid =
      spent &&
      this.pointsWrite(userId, spent, { type: 'spend', referenceType: 'coupon', referenceId: fieldHex });
    partition.write(this.nowMs, EVENTS[kind], [
      { target: 'wallet', id: userId, fields: { [field]: value, [counterName]: String(claims) } },
      { target: 'promotion', id: ref, fields: { issued: String(issued) } },
      ...(paid ? [paid] : []),
    ]);
    const answer = this.couponAnswer(fieldHex, value, promotionId, false);
    return { answer: paid ? { ...answer, pointsSpent: PAPER_PRICE } : answer };
  }

  /** Gives points. */
  award(userId: string, points: number, requestId: string): PaperEnd {
    const partition = this.of(userId);
    const replayed = partition.field('account', userId, `w:${requestId}`) !== undefined;
    if (!replayed) {
      const change = earn(this.pointsOf(userId), points, MONTH);
      const write = this.pointsWrite(userId, change, {
        type: 'award',
        referenceType: 'test',
        referenceId: requestId,
      });
      partition.write(this.nowMs, 'points_awarded', [
        { ...write, fields: { ...write.fields, [`w:${requestId}`]: String(points) } },
      ]);
    }
    return { answer: { replayed, pointsAwarded: points } };
  }

  /** The user's points. */
  pointsOf(userId: string): PointsState {
    const value = this.of(userId).field('account', userId, ACCOUNT_FIELDS.points.name);
    return value === undefined ? NO_POINTS : decodePointsState(Buffer.from(value, 'latin1'));
  }

  /** The account's part of a change of points. */
  pointsWrite(
    userId: string,
    change: PointsChange,
    words: Pick<PointsEntry, 'type' | 'referenceType' | 'referenceId'>,
  ): PaperWrite {
    const { number } = change.state;
    const balanceAfter = availablePoints(change.state);
    const entry = encodePointsEntry({
      ...words,
      number,
      points: change.points,
      balanceAfter,
      reason: '',
      atMs: this.nowMs,
    });
    const fields = {
      [ACCOUNT_FIELDS.points.name]: latin1(encodePointsState(change.state)),
      [ACCOUNT_FIELDS.lastEntry.name]: latin1(entry),
    };
    return { target: 'account', id: userId, fields };
  }

  /** The bytes of a coupon in another state. */
  changedCoupon(userId: string, couponId: string, state: CouponState): PaperWrite {
    const name = Buffer.from(couponId.slice(-32), 'hex').toString('latin1');
    const value = decodeCouponValue(
      Buffer.from(this.of(userId).field('wallet', userId, name) ?? '', 'latin1'),
    );
    return {
      target: 'wallet',
      id: userId,
      fields: { [name]: latin1(encodeCouponValue({ ...value, state })) },
    };
  }

  private refusalOf(
    partition: PaperPartition,
    promotion: PaperPromotion,
    userId: string,
  ): string | undefined {
    if (!promotion.isActive) return 'PROMOTION_INACTIVE';
    const name = claimCounterField(promotion.ref).toString('latin1');
    if (counter(partition, { target: 'wallet', id: userId }, name) >= promotion.perUser)
      return 'USER_LIMIT_REACHED';
    const id = String(promotion.ref);
    const received = partition.field('promotion', id, 'received') ?? '';
    const isOut =
      received !== '' && counter(partition, { target: 'promotion', id }, 'issued') >= Number(received);
    // A partition of several would ask the pool; here its share is all there is, and nobody says that nothing is left.
    if (isOut) return this.partitions.length === 1 ? 'SOLD_OUT' : 'WALLET_FULL';
    return undefined;
  }

  private couponBytes({ ref, version }: PaperPromotion, source: CouponSource): string {
    const fixed = {
      state: 'unused',
      source,
      hidden: false,
      promotionRef: ref,
      promotionVersion: version,
    } as const;
    return latin1(encodeCouponValue({ ...fixed, issuedAtMs: this.nowMs, validFromMs: this.nowMs }));
  }

  private couponAnswer(fieldHex: string, value: string, promotionId: string, replayed: boolean): Answer {
    const { issuedAtMs, promotionVersion } = decodeCouponValue(Buffer.from(value, 'latin1'));
    const couponId = couponIdOf(issuedAtMs, fieldHex);
    return { couponId, promotionId, promotionVersion, issuedAtMs, replayed, acknowledgement: 'durable' };
  }
}

const EVENTS: Readonly<Record<IssueKind, EventKind>> = {
  claim: 'claimed',
  exchange: 'exchanged',
  code: 'code_claimed',
  grant: 'granted',
  event: 'event_granted',
  voucher: 'granted',
};

function shareOf(quantity: number | undefined, count: number, number: number): number | undefined {
  if (quantity === undefined) return undefined;
  return Math.floor(quantity / count) + (number < quantity % count ? 1 : 0);
}

function bodyOf(promotion: PaperPromotion): string {
  const { ref, promotionId, version, quantity, perUser, usesTotal, budgetMinor } = promotion;
  const message: Promotion = create(PromotionSchema, {
    ...{ ref, promotionId, version },
    state: promotion.isActive ? PromotionState.ACTIVE : PromotionState.INACTIVE,
    stock: { perUserLimit: perUser, ...(quantity !== undefined && { quantity: BigInt(quantity) }) },
    limits: {
      ...(usesTotal !== undefined && { usesTotal: BigInt(usesTotal) }),
      ...(budgetMinor !== undefined && { budget: { amountMinor: BigInt(budgetMinor) } }),
    },
  });
  return latin1(toBinary(PromotionSchema, message));
}
