import type { Candidate } from '../candidate.ts';
import type { Selection } from '../evaluation-input.ts';
import { normalisedCode } from '../normalised-code.ts';
import type { Tally } from '../tally.ts';
import { compareByApplication } from './application-order.ts';
import { isPairLegal } from './legality.ts';

/** What the caller's own selection leaves of the usable candidates. */
export interface Selected {
  /** The named coupons and codes, in the order named. */
  readonly named: readonly Candidate[];
  /** Automatic promotions, and with no selection of his own everything. */
  readonly others: readonly Candidate[];
  /** Coupons and codes he did not name. */
  readonly unnamed: readonly Candidate[];
}

/** Divides the usable candidates by the caller's selection. */
export function divideBySelection(usable: readonly Candidate[], selection: Selection): Selected {
  if (selection.kind === 'best') return { named: [], others: usable, unnamed: [] };
  const { couponIds, codes } = selection;
  const names = [
    ...couponIds.map((id) => `coupon ${id}`),
    ...codes.map((code) => `code ${normalisedCode(code)}`),
  ];
  const byName = new Map(usable.map((candidate) => [nameOf(candidate), candidate]));
  const named = [...new Set(names)].flatMap((name) => byName.get(name) ?? []);
  const isNamed = new Set(named);
  return {
    named,
    others: usable.filter(({ takesSlot }) => !takesSlot),
    unnamed: usable.filter((candidate) => candidate.takesSlot && !isNamed.has(candidate)),
  };
}

function nameOf({ source }: Candidate): string {
  if (source.kind === 'automatic') return '';
  return source.kind === 'coupon' ? `coupon ${source.couponId}` : `code ${source.code}`;
}

/** Takes the named candidates one after the other, as far as each keeps the set legal. */
export function takeNamed(named: readonly Candidate[], slots: number, tally: Tally): Candidate[] {
  const taken: Candidate[] = [];
  for (const candidate of named) {
    const fits = taken.length < slots && taken.every((one) => isPairLegal(one, candidate));
    if (fits && areApplicable([...taken, candidate], tally)) taken.push(candidate);
  }
  return taken;
}

function areApplicable(candidates: readonly Candidate[], tally: Tally): boolean {
  const depth = tally.depth;
  const isLegal = candidates
    .toSorted(compareByApplication)
    .every((candidate) => tally.apply(candidate) === undefined);
  tally.undoTo(depth);
  return isLegal;
}
