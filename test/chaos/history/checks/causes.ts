/** I12 of refusals: whoever says "sold out", "inactive" or "limit reached" says what was so at some moment of the call. */
import { fromBinary } from '@bufbuild/protobuf';
import { PromotionSchema, PromotionState } from '../../../../src/gen/hongbao/v1/promotion_pb.ts';
import type { Call, TriedAttempt } from '../calls.ts';
import type { Observer, SeenEvent, World } from '../state/replay.ts';
import type { Findings } from '../violation.ts';
import type { CouponBook } from './coupon-book.ts';
import type { Definitions } from './definitions.ts';
import { figureIn } from './stock.ts';

/** A figure that changes at moments. */
class Steps {
  private readonly times: number[] = [];
  private readonly values: number[] = [];

  add(timeMs: number, value: number): void {
    this.times.push(timeMs);
    this.values.push(value);
  }

  /** Every value it had within the window, that at its start included. */
  within(fromMs: number, toMs: number): number[] {
    const first = Math.max(0, this.firstAfter(fromMs) - 1);
    const end = this.firstAfter(toMs);
    return this.values.slice(first, Math.max(end, 0));
  }

  /** Place of the first change after a moment; times never go back. */
  private firstAfter(timeMs: number): number {
    let [low, high] = [0, this.times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.times[middle] ?? 0) > timeMs) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** What was so when: figures of promotions and of users. */
export class Timeline implements Observer {
  private readonly coupons: CouponBook;
  private readonly definitions: Definitions;
  private readonly partitions: number;
  private readonly steps = new Map<string, Steps>();
  private readonly counts = new Map<string, number>();

  constructor(coupons: CouponBook, definitions: Definitions, partitions: number) {
    this.coupons = coupons;
    this.definitions = definitions;
    this.partitions = partitions;
  }

  see({ place, timeMs, writes }: SeenEvent, world: World): void {
    for (const { target, id, fields } of writes) {
      if (target !== 'promotion') continue;
      const issued = figureIn(world.field('promotion', id, 'issued')) ?? 0;
      this.note(`issued/${id}/${place.partition}`, timeMs, issued);
      const body = fields.find(({ name }) => name === 'body')?.value;
      if (body !== undefined) this.noteDefinition(id, place.partition, timeMs, body);
    }
    for (const { userId, ref } of this.coupons.justIssued) {
      const key = `${userId}/${ref}`;
      const count = (this.counts.get(key) ?? 0) + 1;
      this.counts.set(key, count);
      this.note(`user/${key}`, timeMs, count);
    }
  }

  /** Was a promotion's stock used up at some moment between these? */
  wasSoldOut(ref: string, fromMs: number, toMs: number): boolean {
    let most = 0;
    const bounds: number[] = [];
    for (let partition = 0; partition < this.partitions; partition += 1) {
      most += Math.max(0, ...this.values(`issued/${ref}/${partition}`, fromMs, toMs));
      bounds.push(...this.values(`quantity/${ref}/${partition}`, fromMs, toMs));
    }
    return most >= Math.min(...bounds, Number.POSITIVE_INFINITY);
  }

  /** Had the promotion this state somewhere at some moment between these? */
  wasInState(ref: string, state: PromotionState, fromMs: number, toMs: number): boolean {
    const partitions = Array.from({ length: this.partitions }, (_, partition) => partition);
    return partitions.some((partition) =>
      this.values(`state/${ref}/${partition}`, fromMs, toMs).includes(state),
    );
  }

  /** Had the user all coupons of the promotion one may have, at some moment between these? */
  wasAtLimit(ref: string, userId: string, fromMs: number, toMs: number): boolean {
    const most = Math.max(0, ...this.values(`user/${userId}/${ref}`, fromMs, toMs));
    const limits = Array.from({ length: this.partitions }, (_, partition) => partition).flatMap((partition) =>
      this.values(`limit/${ref}/${partition}`, fromMs, toMs),
    );
    return most >= Math.min(...limits, Number.POSITIVE_INFINITY);
  }

  private noteDefinition(ref: string, partition: number, timeMs: number, body: string): void {
    const { state } = fromBinary(PromotionSchema, Buffer.from(body, 'latin1'));
    const allowed = this.definitions.inForce(partition, ref);
    this.note(`quantity/${ref}/${partition}`, timeMs, allowed?.quantity ?? Number.POSITIVE_INFINITY);
    this.note(`limit/${ref}/${partition}`, timeMs, allowed?.perUser ?? Number.POSITIVE_INFINITY);
    this.note(`state/${ref}/${partition}`, timeMs, state);
  }

  private note(key: string, timeMs: number, value: number): void {
    const steps = this.steps.get(key) ?? new Steps();
    this.steps.set(key, steps);
    steps.add(timeMs, value);
  }

  private values(key: string, fromMs: number, toMs: number): number[] {
    return this.steps.get(key)?.within(fromMs, toMs) ?? [];
  }
}

/** What a check of reasons works with. */
export interface CauseContext {
  readonly findings: Findings;
  readonly timeline: Timeline;
  readonly definitions: Definitions;
  /** How far the clients' clock and the ledger's may be apart, and how old a hint may be, in ms. */
  readonly slackMs: number;
}

/** Looks at every refusal of a coupon that names stock, state or limit. */
export function checkCauses(context: CauseContext, calls: readonly Call[]): void {
  for (const call of calls) {
    const ref = context.definitions.refOf(call.arguments.promotionId ?? '');
    if (ref === undefined || !['claim', 'exchange', 'claimCode'].includes(call.operation)) continue;
    for (const attempt of call.attempts) checkAttempt(context, call, ref, attempt);
  }
}

function checkAttempt(
  context: CauseContext,
  { userId }: Call,
  ref: string,
  { invoke, end }: TriedAttempt,
): void {
  if (end?.kind !== 'refused') return;
  const { timeline, findings, slackMs } = context;
  const [fromMs, toMs] = [invoke.at - slackMs, end.at + slackMs];
  const causes: Readonly<Record<string, () => boolean>> = {
    SOLD_OUT: () => timeline.wasSoldOut(ref, fromMs, toMs),
    USER_LIMIT_REACHED: () => timeline.wasAtLimit(ref, userId, fromMs, toMs),
    PROMOTION_INACTIVE: () => timeline.wasInState(ref, PromotionState.INACTIVE, fromMs, toMs),
  };
  const cause = causes[end.reason];
  if (cause === undefined) return;
  findings.count('reasons held to the log');
  if (cause()) return;
  const text = `${userId} is refused promotion ${ref} with ${end.reason}, which was so at no moment of the call`;
  findings.breach('I12', 'refused-without-cause', text, { attempts: [invoke.id] });
}
