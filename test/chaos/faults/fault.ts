/** What every fault of the matrix looks like. */

import type { Machine } from '../topology/machine.ts';
import type { TopologyName } from '../topology/redis-topology.ts';
import type { World } from '../topology/world.ts';
import type { Random } from './random.ts';

/** What a fault lays hands on. Two faults overlap only when they have none of these in common. */
export type Part = 'redis' | 'redis_link' | 'postgres' | 'postgres_link' | 'serve' | 'archive' | 'clock';

/** What is known before a run about where it takes place. */
export interface RunConditions {
  readonly topology: TopologyName;
  readonly machine: Machine;
  /** Whether the faults of the run were asked for by name. */
  readonly isNamed: boolean;
}

/** A fault that is there now. */
export interface Injection {
  /** What was done to whom, for the report. */
  readonly note: string;
  /** Takes it away again; resolves when what it broke has been started again, not when everything has recovered. */
  heal(): Promise<void>;
}

/** One fault, as the random choice of a run and the published matrix see it. */
export interface Fault {
  /** Its row: `F5`. Several faults may belong to one row. */
  readonly id: string;
  readonly title: string;
  readonly topologies: readonly TopologyName[];
  readonly parts: readonly Part[];
  /** How long it is left in place, shortest and longest, ms. */
  readonly lastsMs: readonly [number, number];
  /** What is done, in a sentence of the matrix. */
  readonly does: string;
  /** What must be true all the same. */
  readonly expects: string;
  /** What runs have shown. */
  readonly showed: string;
  /** Why it cannot be part of this run; undefined when it can. */
  canRun(conditions: RunConditions): string | undefined;
  /** Does it. */
  inject(world: World, random: Random): Promise<Injection>;
}

/** For faults that need nothing special. */
export function always(): undefined {
  return undefined;
}

/** Nothing is left to take away. */
export async function nothingToHeal(): Promise<void> {}
