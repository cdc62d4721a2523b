/**
 * What is to be done next so that a partition gets units of a quantity, given everybody's figures. Pure: each decision is made
 * anew from what was read, so whatever a crash left half done is found and finished by whoever comes next.
 */
import type { Share } from './lease-shape.ts';
import { CHUNKS_PER_PARTITION } from './limits.ts';

/** Figures of a pool, by partition where they are per partition. */
export interface PoolFigures {
  readonly granted: readonly number[];
  readonly back: readonly number[];
  readonly total: number;
}

/** Everybody's figures as they were read, the partitions' before the pool's. */
export interface LeaseView {
  /** Units there are in all. */
  readonly limit: number;
  readonly pool: PoolFigures;
  /** By partition. */
  readonly shares: readonly Share[];
}

/** What a partition asks for. */
export interface LeaseAsk {
  readonly partition: number;
  /** Fewer units are of no use. */
  readonly need: number;
  /** Units that would be used at once; at least `need`. */
  readonly wanted: number;
}

/** Cumulative figures a partition's share is to have. */
export interface ShareTarget {
  readonly partition: number;
  readonly granted: number;
  readonly back: number;
}

/** A cumulative figure of the pool that is to grow. */
export interface Raise {
  readonly partition: number;
  readonly to: number;
  readonly by: number;
}

/** What is to be done next. */
export type LeaseStep =
  /** The partition has what it needs. */
  | { readonly kind: 'ready' }
  /** The pool learns what partitions say, grants so many units, and then the partition's share becomes `deliver`. */
  | {
      readonly kind: 'grant';
      readonly raises: readonly Raise[];
      readonly notes: readonly Raise[];
      readonly units: number;
      readonly deliver: ShareTarget;
    }
  /** These partitions give units back first. */
  | { readonly kind: 'takeBack'; readonly from: readonly ShareTarget[] }
  /** Nobody has enough: what is in use everywhere leaves less than is needed. */
  | { readonly kind: 'exhausted'; readonly used: number };

/** Figures as the pool will have them once it has learned what partitions say. */
interface Settled {
  readonly granted: readonly number[];
  readonly back: readonly number[];
  readonly raises: readonly Raise[];
  readonly notes: readonly Raise[];
  /** Units granted to nobody; negative when the limit fell below what is out. */
  readonly left: number;
}

function settle({ limit, pool, shares }: LeaseView): Settled {
  // A pool that lost its last grants hears of them from who received them; otherwise it would grant the same units again.
  const raises = raisesOf(
    pool.granted,
    shares.map(({ granted }) => granted),
  );
  const notes = raisesOf(
    pool.back,
    shares.map(({ back }) => back),
  );
  return {
    granted: pool.granted.map((units, index) => Math.max(units, shares[index]?.granted ?? 0)),
    back: pool.back.map((units, index) => Math.max(units, shares[index]?.back ?? 0)),
    raises,
    notes,
    left: limit - pool.total - sumOf(raises) + sumOf(notes),
  };
}

function raisesOf(known: readonly number[], told: readonly number[]): Raise[] {
  return told.flatMap((to, partition) => {
    const by = to - (known[partition] ?? 0);
    return by > 0 ? [{ partition, to, by }] : [];
  });
}

function sumOf(raises: readonly Raise[]): number {
  return raises.reduce((sum, { by }) => sum + by, 0);
}

/** Units that are with a partition, delivered or on their way, and not in use. */
function freeOf(settled: Settled, shares: readonly Share[], partition: number): number {
  const { granted, back } = settled;
  return (granted[partition] ?? 0) - (back[partition] ?? 0) - (shares[partition]?.used ?? 0);
}

/** Decides on the next step; repeated with what was read after each, it ends in `ready` or `exhausted`. */
export function nextStep(view: LeaseView, ask: LeaseAsk): LeaseStep {
  const { shares } = view;
  const settled = settle(view);
  const { partition, need, wanted } = ask;
  if (isReady(view, settled, ask)) return { kind: 'ready' };
  const own = freeOf(settled, shares, partition);
  const missing = need - own - settled.left;
  if (missing > 0) return takeFromOthers(view, settled, ask, missing);
  // The limit fell, and this partition itself has what is too much.
  if (settled.left < 0) return { kind: 'takeBack', from: [giving(view, settled, partition, -settled.left)] };
  const chunk = Math.ceil(settled.left / (CHUNKS_PER_PARTITION * shares.length));
  const units = own >= need ? 0 : Math.min(settled.left, Math.max(wanted - own, chunk));
  const deliver = {
    partition,
    granted: (settled.granted[partition] ?? 0) + units,
    back: settled.back[partition] ?? 0,
  };
  return { kind: 'grant', raises: settled.raises, notes: settled.notes, units, deliver };
}

function isReady({ shares }: LeaseView, settled: Settled, { partition, need }: LeaseAsk): boolean {
  const share = shares[partition];
  if (share === undefined || !share.isInForce) return false;
  // A partition that forgot giving back has more than it may use until it is told.
  const hasForgotten = share.back < (settled.back[partition] ?? 0);
  return !hasForgotten && share.granted - share.back - share.used >= need;
}

/** Half of what others have free, the one with most first, until there is enough; all of it where halves do not do. */
function takeFromOthers(view: LeaseView, settled: Settled, ask: LeaseAsk, missing: number): LeaseStep {
  const others = view.shares
    .map((_, partition) => ({ partition, free: freeOf(settled, view.shares, partition) }))
    .filter(({ partition, free }) => partition !== ask.partition && free > 0)
    .sort((a, b) => b.free - a.free);
  const available = others.reduce((sum, { free }) => sum + free, 0);
  if (available < missing) return { kind: 'exhausted', used: usedIn(view) };
  const from: ShareTarget[] = [];
  let rest = missing;
  for (const { partition, free } of others) {
    if (rest <= 0) break;
    const units = Math.min(free, Math.max(Math.ceil(free / 2), rest));
    rest -= units;
    from.push(giving(view, settled, partition, units));
  }
  return { kind: 'takeBack', from };
}

/**
 * The share of a partition after it gave so many units back. What is on its way to it goes back as well: units are delivered
 * only where the pool has just confirmed that it granted them.
 */
function giving({ shares }: LeaseView, settled: Settled, partition: number, units: number): ShareTarget {
  const granted = settled.granted[partition] ?? 0;
  const undelivered = granted - (shares[partition]?.granted ?? 0);
  const given = Math.min(freeOf(settled, shares, partition), Math.max(units, undelivered));
  return { partition, granted, back: (settled.back[partition] ?? 0) + given };
}

function usedIn({ shares }: LeaseView): number {
  return shares.reduce((sum, { used }) => sum + used, 0);
}
