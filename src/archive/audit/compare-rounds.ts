import { PAGE_IDS, pagesOf } from './user-pages.ts';

/** Something of which there are many, compared page by page. */
export interface Compared {
  /** Ids of all there are, wherever they are known; one may come several times. */
  readonly ids: () => AsyncIterable<readonly string[]>;
  /** Which of them are compared now. */
  readonly includes: (id: string) => boolean;
  /** Compares these at the entry; answers with those that have moved beyond it. */
  readonly compare: (ids: readonly string[], cursorSeq: number) => Promise<readonly string[]>;
  /** Told how many were still moving at the end. */
  readonly leftMoving: (count: number) => void;
}

/** Records that move during a comparison are compared again at a later entry, so many times. */
const ROUNDS = 3;

/**
 * Compares everything at entry `cursorSeq`, and what moved meanwhile at later ones.
 *
 * @param advance brings the fold to the archive's newest entry and answers with its number
 */
export async function compareInRounds(
  all: readonly Compared[],
  cursorSeq: number,
  advance: () => Promise<number>,
): Promise<void> {
  const moving = new Map<Compared, readonly string[]>();
  for (const compared of all) moving.set(compared, await compareEvery(compared, cursorSeq));
  for (let round = 1; round < ROUNDS && isAnyLeft(moving); round += 1) {
    const laterSeq = await advance();
    for (const compared of all) {
      const again: string[] = [];
      for (const page of pagesOf(moving.get(compared) ?? []))
        again.push(...(await compared.compare(page, laterSeq)));
      moving.set(compared, again);
    }
  }
  for (const [compared, left] of moving) compared.leftMoving(left.length);
}

async function compareEvery(compared: Compared, cursorSeq: number): Promise<string[]> {
  const seen = new Set<string>();
  const moving: string[] = [];
  let fresh: string[] = [];
  const compareFresh = async (): Promise<void> => {
    moving.push(...(await compared.compare(fresh, cursorSeq)));
    fresh = [];
  };
  // Pages are filled up before they are compared: most ids come several times, and most are none of this share.
  for await (const page of compared.ids()) {
    for (const id of page) {
      if (seen.has(id) || !compared.includes(id)) continue;
      seen.add(id);
      fresh.push(id);
    }
    if (fresh.length >= PAGE_IDS) await compareFresh();
  }
  await compareFresh();
  return moving;
}

function isAnyLeft(moving: ReadonlyMap<Compared, readonly string[]>): boolean {
  return [...moving.values()].some((ids) => ids.length > 0);
}
