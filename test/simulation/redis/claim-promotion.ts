/** How `scripts/claim.lua` reads a promotion's live definition. */
import { Unpacker } from './bytes.ts';

/** A promotion as a claim is decided by it. */
export interface LivePromotion {
  readonly key: string;
  readonly ref: string;
  readonly number: number;
  readonly counter: string;
  readonly definition: string;
  readonly received: number | undefined;
  issued: number;
  readonly state: number;
  readonly claimable: number;
  readonly version: number;
  readonly limit: number;
  readonly starts: number;
  readonly ends: number;
  readonly validity: number;
  readonly validA: number;
  readonly validB: number;
  readonly ack: number;
  readonly target: number;
  readonly targetArg: number;
  readonly tags: number;
  readonly tagsAt: number;
}

/** What a definition says, after its format. */
export function readHead(head: Unpacker) {
  return {
    state: head.uint(1),
    claimable: head.uint(1),
    version: head.uint(4),
    limit: head.uint(4),
    starts: head.uint(6),
    ends: head.uint(6),
    validity: head.uint(1),
    validA: head.uint(6),
    validB: head.uint(6),
    ack: head.uint(1),
    target: head.uint(1),
    targetArg: head.uint(6),
    tags: head.uint(1),
    tagsAt: head.at,
  };
}

/** Has the user, by these facts, one of the tags the promotion is for? */
export function hasTag(p: LivePromotion, facts: string): boolean {
  const wanted = new Unpacker(p.definition, p.tagsAt);
  const tags = new Set(Array.from({ length: p.tags }, () => wanted.sized(1)));
  const held = new Unpacker(facts, 11);
  for (let left = held.uint(1); left > 0; left -= 1) if (tags.has(held.sized(1))) return true;
  return false;
}
