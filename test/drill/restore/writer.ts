/** Writes of a restore drill: promotions, coupons, orders and points, each remembered once it was acknowledged. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ask, AskEnd } from '../../chaos/load/ask.ts';
import { awardAsk, claimAsk } from '../../chaos/load/coupon-asks.ts';
import { beginAsk } from '../../chaos/load/order-asks.ts';
import { createAsk, switchAsk } from '../../chaos/load/staff-asks.ts';
import type { Wire } from '../../chaos/load/wire.ts';

/** What kinds of writes there are. */
export const WRITE_KINDS = ['coupon', 'order', 'points', 'promotion'] as const;

/** One of them. */
export type WriteKind = (typeof WRITE_KINDS)[number];

/** A write that was acknowledged. */
export interface Write {
  readonly kind: WriteKind;
  /** What it made: id of the coupon, order or promotion; the user of points. */
  readonly id: string;
  /** Whom it was made for, and from which promotion: enough to ask for it once more. */
  readonly userId: string;
  readonly promotionId: string;
}

type Answer = Extract<AskEnd, { kind: 'ok' }>['answer'];

const POINTS = 50;
const CALL_MS = 5_000;
/** A store that has just come back may leave first calls without an answer; each is asked again with its id. */
const ATTEMPTS = 40;
const PAUSE_MS = 250;
/** Users served at once. */
const AT_ONCE = 8;
const WRITES_PER_USER = 3;

const PROMOTION = {
  name: { en: 'Drill', zh: '演练' },
  currency: 'CNY',
  effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: 300n } } },
  validity: { kind: { case: 'daysAfterClaim', value: { days: 30 } } },
  reach: { way: { case: 'claimable', value: {} } },
  stock: { quantity: 1_000_000n, perUserLimit: 1 },
} as const;

/** Dear enough for the coupon. */
function oneDuck() {
  const line = { lineId: '1', itemId: 'duck', quantity: 1, unitPriceMinor: 4_000n };
  return { currency: 'CNY', lines: [line] };
}

/** Makes writes and remembers them. */
export class Writer {
  private readonly wire: Wire;
  /** By the request they answered. */
  private readonly made = new Map<string, Write>();
  private users = 0;
  private promotions = 0;

  constructor(wire: Wire) {
    this.wire = wire;
  }

  /** Everything acknowledged and not known to be lost, oldest first. */
  get acknowledged(): readonly Write[] {
    return [...this.made.values()];
  }

  /** So many writes or a few more, a new promotion among them; answers with those. Throws when one is refused or stays unknown. */
  async write(count: number): Promise<readonly Write[]> {
    const before = this.made.size;
    this.promotions += 1;
    const promotionId = `drill-${this.promotions}`;
    await this.define(promotionId);
    const rounds = Math.ceil((count - 1) / WRITES_PER_USER);
    const users = Array.from({ length: rounds }, () => {
      this.users += 1;
      return { userId: `drill-u${this.users}`, promotionId };
    });
    await this.serve(users);
    return this.acknowledged.slice(before);
  }

  /** Asks for lost writes once more under their request ids, as callers do who keep what they asked for. */
  async repeat(lost: readonly Write[]): Promise<void> {
    const gone = new Set(lost);
    for (const [request, write] of this.made) if (gone.has(write)) this.made.delete(request);
    for (const { kind, id } of lost) if (kind === 'promotion') await this.define(id);
    const users = new Map(
      lost.filter(({ kind }) => kind !== 'promotion').map((write) => [write.userId, write]),
    );
    await this.serve([...users.values()]);
  }

  private async serve(users: readonly Pick<Write, 'userId' | 'promotionId'>[]): Promise<void> {
    const rest = users.values();
    const work = async (): Promise<void> => {
      for (const { userId, promotionId } of rest) await this.serveUser(userId, promotionId);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  private async define(promotionId: string): Promise<void> {
    const create = createAsk(promotionId, PROMOTION, `create-${promotionId}`);
    await this.make('promotion', create, { userId: '', promotionId }, () => promotionId);
    await this.send(switchAsk(promotionId, 'activate', `activate-${promotionId}`));
  }

  /** A coupon that an order uses, and points. */
  private async serveUser(userId: string, promotionId: string): Promise<void> {
    const whose = { userId, promotionId };
    const claim = claimAsk({ ...whose, requestId: `${userId}.claim` });
    const couponId = await this.make('coupon', claim, whose, (answer) => answer.couponId);
    const order = { userId, orderId: `order-${userId}`, couponIds: [couponId], cart: oneDuck() };
    await this.make('order', beginAsk('use', order, `${userId}.use`), whose, (answer) => answer.orderId);
    await this.make('points', awardAsk(userId, POINTS, `${userId}.points`), whose, () => userId);
  }

  private async make(
    kind: WriteKind,
    ask: Ask,
    whose: Pick<Write, 'userId' | 'promotionId'>,
    idOf: (answer: Answer) => string | undefined,
  ): Promise<string> {
    const id = idOf(await this.send(ask));
    if (id === undefined || id === '') throw new Error(`${ask.requestId}: the answer names nothing`);
    this.made.set(ask.requestId, { kind, id, ...whose });
    return id;
  }

  private async send(ask: Ask): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      const end = await ask.send(this.wire, CALL_MS);
      if (end.kind === 'ok') return end.answer;
      if (end.kind === 'refused' || attempt === ATTEMPTS)
        throw new Error(`${ask.operation} ${ask.requestId}: ${end.kind}, ${end.code} ${end.reason}`);
      await sleep(PAUSE_MS);
    }
  }
}
