import type { Tally } from '../tally.ts';
import type { Field } from './field.ts';
import { Incumbent } from './incumbent.ts';
import { Trial } from './trial.ts';

/**
 * The set that a simple rule finds: whoever makes the set on hand rank highest is added, again and again, as long as that makes it
 * better. A search that had to stop early answers nothing worse than this.
 */
export function findGreedily(field: Field, tally: Tally): Incumbent {
  const trial = new Trial(field, tally);
  const best = new Incumbent(field);
  considerSet(mandatoryOf(field), trial, best);
  for (let isBetter = true; isBetter; ) {
    const { members } = best;
    for (let at = 0; at < field.candidates.length; at += 1) {
      if (!members.includes(at) && canJoin(at, members, field)) considerSet([...members, at], trial, best);
    }
    isBetter = best.members !== members;
  }
  return best;
}

function mandatoryOf({ mandatory }: Field): number[] {
  return [...mandatory.keys()].filter((at) => mandatory[at] === 1);
}

function canJoin(at: number, members: readonly number[], { conflicts, takesSlot, slots }: Field): boolean {
  if (members.some((member) => conflicts.has(member, at))) return false;
  return takesSlot[at] === 0 || members.filter((member) => takesSlot[member] === 1).length < slots;
}

/** Applies a set in order and takes it over if that works and it ranks before the best. */
function considerSet(members: readonly number[], trial: Trial, best: Incumbent): void {
  const isLegal = members
    .toSorted((left, right) => left - right)
    .every((at) => trial.include(at) === undefined);
  if (isLegal) best.consider(trial);
  trial.clear();
}
