/** Whole runs on paper, from a list of choices: clients ask, answers are lost, everything is repeated, and all is as promised. */
import type { Answer, Arguments, HistoryRecord, Invoke, Operation } from '../history.ts';
import type { LedgerState } from '../state/ledger-state.ts';
import { PAPER_PRICE, type PaperEnd, PaperProduct, type PaperPromotion } from './paper-coupons.ts';
import { type PaperOrder, PaperOrders } from './paper-orders.ts';
import { paperTables } from './paper-tables.ts';

/** What one client does in one step, all of it chosen by numbers. */
export interface Choice {
  readonly act: number;
  readonly user: number;
  readonly what: number;
  /** What becomes of the attempts; see {@link FATES}. */
  readonly fate: number;
}

/** A run: what was told, and what the stores hold. */
export interface SampleRun {
  readonly history: HistoryRecord[];
  readonly state: LedgerState;
}

/**
 * `plain`: one attempt, answered. `reply lost`: done, not heard of, asked again. `request lost`: not done, asked again.
 * `silent`: done, never heard of. `unsent`: not done, never heard of. `repeated`: answered, and asked again later.
 */
const FATES = ['plain', 'plain', 'reply lost', 'request lost', 'silent', 'unsent', 'repeated'] as const;
/** How many fates there are to choose from. */
export const FATE_COUNT = FATES.length;
const STEP_MS = 40;
/** Longer than any deadline, so that a repeat comes when all else is over. */
const TIMEOUT_MS = 10;

const FLASH: PaperPromotion = {
  ...{ ref: 1, promotionId: 'p1', version: 1, isActive: true, quantity: 7, perUser: 1 },
  ...{ usesTotal: undefined, budgetMinor: undefined },
};
const PLENTY: PaperPromotion = {
  ...FLASH,
  ref: 2,
  promotionId: 'p2',
  quantity: undefined,
  perUser: 6,
  usesTotal: 12,
  budgetMinor: 900,
};
const BOUGHT: PaperPromotion = { ...FLASH, ref: 3, promotionId: 'p3', quantity: 9, perUser: 3 };

/** A call on paper. */
export interface Asked {
  readonly operation: Operation;
  readonly requestId: string;
  readonly arguments: Arguments;
  readonly carryOut: () => PaperEnd;
}

/** A run on paper; tests may write what they like between the steps. */
export class PaperRun {
  readonly history: HistoryRecord[] = [];
  readonly product: PaperProduct;
  readonly orders: PaperOrders;
  private readonly known: PaperOrder[] = [];
  private readonly coupons = new Map<string, string[]>();
  readonly events = new Set<string>();
  private ids = 0;
  private requests = 0;

  constructor(partitions: number) {
    this.product = new PaperProduct(partitions);
    this.orders = new PaperOrders(this.product);
    for (const promotion of [FLASH, PLENTY, BOUGHT]) this.ask(this.definition(promotion), 'plain');
  }

  /** What was told, and what the stores hold now. */
  finish(): SampleRun {
    const { product, history, events } = this;
    const logs = product.partitions.map((partition) => partition.state());
    const state = { generation: 1, partitions: logs.length, logs, ...paperTables(product, logs, events) };
    return { history, state };
  }

  /** Makes a call and has it answered. Answers with what came of it. */
  tell(asked: Asked, fate: (typeof FATES)[number] = 'plain'): void {
    this.product.nowMs += STEP_MS;
    this.ask(asked, fate);
  }

  /** Does what one choice says. */
  step({ act, user, what, fate }: Choice): void {
    this.product.nowMs += STEP_MS;
    const acts = [
      () => this.claim(user, what),
      () => this.claim(user, what),
      () => this.exchange(user),
      () => this.award(user, what),
      () => this.begin(user, what),
      () => this.begin(user, what),
      () => this.end(what),
      () => this.end(what),
      () => this.lapse(what),
      () => this.giveBack(what),
      () => this.complete(what),
      () => this.restock(what),
    ];
    const asked = acts[act % acts.length]?.();
    if (asked !== undefined) this.ask(asked, FATES[fate % FATES.length] ?? 'plain');
  }

  private requestId(): string {
    this.requests += 1;
    return `r${this.requests}`;
  }

  private claim(user: number, what: number): Asked {
    const [userId, requestId] = [`u${user}`, this.requestId()];
    const promotionId = what % 2 === 0 ? 'p1' : 'p2';
    return {
      ...{ operation: 'claim', requestId, arguments: { userId, promotionId } },
      carryOut: () => this.keep(userId, this.product.issue('claim', userId, promotionId, requestId)),
    };
  }

  private exchange(user: number): Asked {
    const [userId, requestId] = [`u${user}`, this.requestId()];
    return {
      ...{ operation: 'exchange', requestId, arguments: { userId, promotionId: 'p3' } },
      carryOut: () => this.keep(userId, this.product.issue('exchange', userId, 'p3', requestId)),
    };
  }

  private keep(userId: string, end: PaperEnd): PaperEnd {
    const couponId = 'answer' in end ? end.answer.couponId : undefined;
    const coupons = this.coupons.get(userId) ?? [];
    if (couponId !== undefined && !coupons.includes(couponId))
      this.coupons.set(userId, [...coupons, couponId]);
    return end;
  }

  private award(user: number, what: number): Asked {
    const [userId, requestId, points] = [`u${user}`, this.requestId(), PAPER_PRICE + (what % 20)];
    return {
      ...{ operation: 'award', requestId, arguments: { userId, points } },
      carryOut: () => this.product.award(userId, points, requestId),
    };
  }

  private begin(user: number, what: number): Asked {
    const requestId = this.requestId();
    const isAgain = what % 5 === 0 && this.known.length > 0;
    const order = (isAgain ? this.known[what % this.known.length] : undefined) ?? {
      userId: `u${user}`,
      orderId: `o${requestId}`,
    };
    this.known.push(order);
    const couponIds = (this.coupons.get(order.userId) ?? []).slice(0, what % 3);
    const operation = what % 4 === 1 ? 'use' : 'reserve';
    return {
      ...{ operation, requestId, arguments: { ...order, couponIds } },
      carryOut: () => this.orders.begin(operation, order, couponIds, requestId),
    };
  }

  private someOrder(what: number): PaperOrder | undefined {
    return this.known[what % Math.max(1, this.known.length)];
  }

  private end(what: number): Asked | undefined {
    const [order, requestId] = [this.someOrder(what >> 1), this.requestId()];
    const operation = what % 3 === 0 ? 'release' : 'commit';
    return (
      order && {
        ...{ operation, requestId, arguments: { ...order } },
        carryOut: () => this.orders.end(operation, order, requestId),
      }
    );
  }

  private lapse(what: number): undefined {
    const order = this.someOrder(what);
    if (order !== undefined) this.orders.lapse(order);
    return undefined;
  }

  private giveBack(what: number): Asked | undefined {
    const [order, requestId] = [this.someOrder(what >> 1), this.requestId()];
    const operation = what % 2 === 0 ? 'return' : 'refund';
    return (
      order && {
        ...{ operation, requestId, arguments: { ...order } },
        carryOut: () =>
          operation === 'return'
            ? this.orders.giveBack(order, requestId)
            : this.orders.refund(order, requestId),
      }
    );
  }

  private complete(what: number): Asked | undefined {
    const [order, requestId] = [this.someOrder(what), this.requestId()];
    return (
      order && {
        ...{ operation: 'event', requestId, arguments: { ...order, eventKind: 'order_completed' } },
        carryOut: () => {
          this.events.add(requestId);
          return { answer: this.orders.complete(order) };
        },
      }
    );
  }

  /** Another stock of the first promotion; with several partitions only switched, since shares would have to move. */
  private restock(what: number): Asked {
    const before = this.product.promotions.get('p1') ?? FLASH;
    const isOne = this.product.partitions.length === 1;
    const issued = Number(this.product.partitions[0]?.field('promotion', '1', 'issued') ?? 0);
    const quantity = isOne ? Math.max(issued, what % 14) : before.quantity;
    return this.definition({ ...before, version: before.version + 1, isActive: what % 7 !== 0, quantity });
  }

  private definition(promotion: PaperPromotion): Asked {
    const { promotionId, version } = promotion;
    return {
      ...{ operation: 'define', requestId: `define-${promotionId}-${version}`, arguments: { promotionId } },
      // A repeat finds the version made and answers with it.
      carryOut: () => {
        const isMade = (this.product.promotions.get(promotionId)?.version ?? 0) >= version;
        return {
          answer: isMade ? { promotionId, promotionVersion: version } : this.product.define(promotion),
        };
      },
    };
  }

  private ask(asked: Asked, fate: (typeof FATES)[number]): void {
    if (fate === 'unsent' || fate === 'request lost') this.unheard(asked);
    if (fate === 'silent' || fate === 'reply lost') {
      this.unheard(asked);
      asked.carryOut();
    }
    if (fate === 'unsent' || fate === 'silent') return;
    this.heard(asked);
    if (fate !== 'repeated') return;
    this.product.nowMs += STEP_MS;
    this.heard(asked);
  }

  private invoke({ operation, requestId, arguments: asked }: Asked): Invoke {
    this.ids += 1;
    const id = this.ids;
    const invoke: Invoke = {
      ...{ kind: 'invoke', at: this.product.nowMs, id, client: 'c', operation, requestId, arguments: asked },
      ...{ transport: 'grpc', address: 'paper', timeoutMs: TIMEOUT_MS },
    };
    this.history.push(invoke);
    return invoke;
  }

  private unheard(asked: Asked): void {
    const { id, at, client, operation, requestId } = this.invoke(asked);
    this.history.push({
      kind: 'unknown',
      at,
      id,
      client,
      operation,
      requestId,
      reason: 'UNAVAILABLE',
      code: 'UNAVAILABLE',
    });
    this.product.nowMs += 1;
  }

  private heard(asked: Asked): void {
    const { id, at, client, operation, requestId } = this.invoke(asked);
    const end = asked.carryOut();
    const common = { at, id, client, operation, requestId };
    if ('answer' in end)
      this.history.push({
        kind: 'ok',
        ...common,
        digest: stableOf(operation, end.answer),
        answer: end.answer,
      });
    else this.history.push({ kind: 'refused', ...common, reason: end.refused, code: 'FAILED_PRECONDITION' });
  }
}

function stableOf(
  operation: Operation,
  { couponId, promotionVersion, orderId, refundMinor }: Answer,
): string {
  return JSON.stringify([operation, couponId, promotionVersion, orderId, refundMinor]);
}

/** Plays a run; what comes out keeps every promise. */
export function playRun(choices: readonly Choice[], partitions: number): SampleRun {
  const run = new PaperRun(partitions);
  for (const choice of choices) run.step(choice);
  return run.finish();
}
