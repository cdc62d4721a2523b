import type { UnitCap } from '../../../src/domain/promotion.ts';
import { leftAt, lineAt, type Outcome, offLines, type Turn } from './effect-turn.ts';
import { most, spread, sum, unitValues } from './exact-money.ts';
import { checkUnits } from './rule-checks.ts';
import { cappedUnits, countByPlace } from './unit-pick.ts';

interface Unit {
  readonly place: number;
  readonly value: bigint;
}

/** Any so many units for one price: the taken units in groups, one after the other; what is left over is not taken. */
export function applyBundles(turn: Turn, size: number, price: bigint, cap: UnitCap | undefined): Outcome {
  const units = withValues(turn, cappedUnits(turn, cap));
  const failure = checkUnits('GROUP_NOT_COMPLETE', size, units.length);
  if (failure !== undefined) return { failure };
  const bundles = Array.from({ length: Math.floor(units.length / size) }, (_, at) =>
    units.slice(at * size, (at + 1) * size),
  );
  const offOf = (bundle: readonly Unit[]): bigint => most(0n, sum(bundle.map(({ value }) => value)) - price);
  const cheaper = bundles.filter((bundle) => offOf(bundle) > 0n);
  const inBundles = cheaper.flat();
  const weights = turn.eligible.map((place) =>
    sum(inBundles.filter((unit) => unit.place === place).map(({ value }) => value)),
  );
  const shares = spread(sum(cheaper.map(offOf)), weights);
  const offs = new Map(turn.eligible.map((place, at) => [place, shares[at] ?? 0n]));
  return { given: offLines(turn, offs, countByPlace(inBundles.map(({ place }) => place))) };
}

/** The units with what each is worth now: the first one taken of a line is the line's first unit, and so on. */
function withValues(turn: Turn, places: readonly number[]): Unit[] {
  const taken = new Map<number, number>();
  const values = new Map<number, bigint[]>();
  for (const place of new Set(places))
    values.set(place, unitValues(leftAt(turn, place), lineAt(turn, place).units));
  return places.map((place) => {
    const nth = taken.get(place) ?? 0;
    taken.set(place, nth + 1);
    return { place, value: values.get(place)?.[nth] ?? 0n };
  });
}
