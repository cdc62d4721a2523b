/** I1 across partitions: what a pool grants is never more than there is, and partitions hold what they were granted. */
import type { LedgerState } from '../state/ledger-state.ts';
import type { Observer, SeenEvent, World } from '../state/replay.ts';
import type { Findings } from '../violation.ts';
import { figureIn } from './stock.ts';

const GRANTED_FIELD = /^g\d+$/;

interface Pool {
  readonly quantity: number | undefined;
  readonly granted: ReadonlyMap<number, number>;
  readonly back: ReadonlyMap<number, number>;
}

function perPartition(image: ReadonlyMap<string, string>, mark: string): Map<number, number> {
  const figures = new Map<number, number>();
  for (const [name, value] of image) {
    if (name.startsWith(mark) && /^\d+$/.test(name.slice(1)))
      figures.set(Number(name.slice(1)), Number(value));
  }
  return figures;
}

function sum(figures: ReadonlyMap<number, number>): number {
  return [...figures.values()].reduce((total, figure) => total + figure, 0);
}

function poolIn(world: World, id: string): Pool {
  const image = world.records.get(`pool:${id}`) ?? new Map<string, string>();
  return {
    quantity: figureIn(image.get('q')),
    granted: perPartition(image, 'g'),
    back: perPartition(image, 'b'),
  };
}

/** Adds up grants at every event of a pool. */
export class PoolCheck implements Observer {
  private readonly findings: Findings;

  constructor(findings: Findings) {
    this.findings = findings;
  }

  see({ place, writes }: SeenEvent, world: World): void {
    for (const { target, id, fields } of writes) {
      if (String(target) !== 'pool' || !fields.some(({ name }) => GRANTED_FIELD.test(name))) continue;
      const { quantity, granted, back } = poolIn(world, id);
      const out = sum(granted) - sum(back);
      this.findings.count('pool grants');
      if (quantity !== undefined && out > quantity) {
        const text = `the pool of promotion ${id} has ${out} units out, of ${quantity}`;
        this.findings.breach('I1', 'overgranted', text, { places: [place] });
      }
    }
  }
}

/** When nothing moves: no partition says it received more than its pool says it granted, nor that it gave back less. */
export function checkPools(findings: Findings, state: LedgerState, worlds: ReadonlyMap<number, World>): void {
  for (const world of worlds.values()) {
    for (const name of world.records.keys()) {
      const [target, id = ''] = name.split(':');
      if (target === 'pool' && /^\d+$/.test(id)) comparePool(findings, state, worlds, id, poolIn(world, id));
    }
  }
}

function comparePool(
  findings: Findings,
  { partitions }: LedgerState,
  worlds: ReadonlyMap<number, World>,
  ref: string,
  { granted, back }: Pool,
): void {
  for (let partition = 0; partition < partitions; partition += 1) {
    const world = worlds.get(partition);
    const received = figureIn(world?.field('promotion', ref, 'granted')) ?? 0;
    const returned = figureIn(world?.field('promotion', ref, 'back')) ?? 0;
    findings.count('leases');
    if (received > (granted.get(partition) ?? 0)) {
      const text = `partition ${partition} has received ${received} units of promotion ${ref}, its pool granted ${granted.get(partition) ?? 0}`;
      findings.breach('I1', 'lease-not-granted', text);
    }
    if ((back.get(partition) ?? 0) > returned) {
      const text = `the pool of promotion ${ref} took back ${back.get(partition) ?? 0} units of partition ${partition}, which gave ${returned}`;
      findings.breach('I1', 'lease-not-returned', text);
    }
  }
}
