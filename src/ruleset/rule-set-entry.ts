import { liveState } from '../definitions/live-definition.ts';
import { type BodyRow, storedPromotion } from '../definitions/store/stored-promotion.ts';
import { epochMs } from '../domain/epoch-ms.ts';
import type { LiveState } from '../domain/live-definition.ts';
import type { Reach } from '../gen/hongbao/v1/availability_pb.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';

/** How a promotion reaches people: the case of its `reach`. */
export type ReachWay = Reach['way']['case'];

/**
 * One promotion in its current version: what is asked of all promotions, and the definition as it is stored. A whole promotion
 * is decoded when it is asked for and kept while somebody holds it. All of them decoded take fifteen times the memory, and
 * every full garbage collection walks through it, between calls that wait.
 */
export class RuleSetEntry {
  readonly ref: number;
  readonly id: string;
  readonly version: number;
  /** The state set by hand; deleted promotions are not in a rule set. */
  readonly state: LiveState;
  readonly way: ReachWay;
  /** When it activates itself, ms since the epoch; undefined when it does not. */
  readonly activateAtMs: number | undefined;
  private readonly body: BodyRow['body'];
  private decoded: WeakRef<Promotion>;

  /** Of a stored body; what this service has written is trusted. */
  constructor({ body }: BodyRow) {
    const { promotion } = storedPromotion({ body });
    this.ref = promotion.ref;
    this.id = promotion.promotionId;
    this.version = promotion.version;
    this.state = liveState(promotion);
    this.way = promotion.reach?.way.case;
    this.activateAtMs = epochMs(promotion.schedule?.activateAt);
    this.body = body;
    this.decoded = new WeakRef(promotion);
  }

  /** The whole definition. */
  get promotion(): Promotion {
    const kept = this.decoded.deref();
    if (kept !== undefined) return kept;
    const { promotion } = storedPromotion({ body: this.body });
    this.decoded = new WeakRef(promotion);
    return promotion;
  }
}
