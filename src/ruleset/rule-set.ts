import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import { LayeredMap } from './layered-map.ts';
import type { RuleSetEntry } from './rule-set-entry.ts';

/**
 * All promotions as of one rule-set version. Immutable: a change makes another rule set, and whoever holds this one goes on
 * with it undisturbed. The same version has the same content in every process.
 */
export class RuleSet {
  /** 0 while it comes from the ledger's copy, which does not know versions of the whole. */
  readonly version: number;
  private readonly refs: LayeredMap<number, RuleSetEntry>;
  private readonly ids: LayeredMap<string, RuleSetEntry>;
  private sortedClaimable: readonly Promotion[] | undefined;
  private sortedExchangeable: readonly Promotion[] | undefined;

  private constructor(
    version: number,
    refs: LayeredMap<number, RuleSetEntry>,
    ids: LayeredMap<string, RuleSetEntry>,
  ) {
    this.version = version;
    this.refs = refs;
    this.ids = ids;
  }

  /** A rule set without promotions. */
  static empty(): RuleSet {
    return new RuleSet(0, LayeredMap.empty(), LayeredMap.empty());
  }

  get size(): number {
    return this.refs.size;
  }

  byId(id: string): RuleSetEntry | undefined {
    return this.ids.get(id);
  }

  byRef(ref: number): RuleSetEntry | undefined {
    return this.refs.get(ref);
  }

  /** Every promotion, in no stated order. */
  entries(): IterableIterator<RuleSetEntry> {
    return this.refs.values();
  }

  /** Active promotions of the claim centre, highest priority first, then by id. Sorted at the first call. */
  claimable(): readonly Promotion[] {
    this.sortedClaimable ??= this.activeBy('claimable').sort(byPriority);
    return this.sortedClaimable;
  }

  /** Active promotions that points buy, cheapest first, then as `claimable`. Sorted at the first call. */
  exchangeable(): readonly Promotion[] {
    this.sortedExchangeable ??= this.activeBy('pointsExchange').sort(
      (left, right) => pointsRequiredBy(left) - pointsRequiredBy(right) || byPriority(left, right),
    );
    return this.sortedExchangeable;
  }

  private activeBy(wanted: 'claimable' | 'pointsExchange'): Promotion[] {
    return [...this.entries()]
      .filter(({ state, way }) => state === 'active' && way === wanted)
      .map(({ promotion }) => promotion);
  }

  /** The rule set of a later version, with these promotions as they are then; deleted ones leave it. */
  with(changed: readonly RuleSetEntry[], version: number): RuleSet {
    const kept = (entry: RuleSetEntry): RuleSetEntry | undefined =>
      entry.state === 'deleted' ? undefined : entry;
    return new RuleSet(
      version,
      this.refs.with(changed.map((entry) => [entry.ref, kept(entry)] as const)),
      this.ids.with(changed.map((entry) => [entry.id, kept(entry)] as const)),
    );
  }
}

/** Points one coupon of the promotion costs; 0 when it is not sold for points. */
export function pointsRequiredBy({ reach }: Promotion): number {
  return reach?.way.case === 'pointsExchange' ? Number(reach.way.value.pointsRequired) : 0;
}

function byPriority(left: Promotion, right: Promotion): number {
  if (left.priority !== right.priority) return right.priority - left.priority;
  return left.promotionId < right.promotionId ? -1 : 1;
}
