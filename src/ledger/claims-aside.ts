/**
 * Claims that cannot be decided in their partition yet step aside, so that others need not wait: until the promotion's record
 * is there, or until the partition has got units of a quantity that it shares with others. Those that wait for the same wait
 * together, and go back to where they came from.
 */
import type { RefusalReason } from '../domain/refusal.ts';
import type { WaitingClaim } from './claim-queue.ts';
import type { LeaseOutcome } from './leases/lease-run.ts';

/** What asking for units of a promotion came to. */
export type UnitsOutcome = LeaseOutcome;

/** What claims that step aside need. */
export interface ClaimsAsidePorts {
  /** Brings a promotion's definition into the partition; false when there is no such promotion. */
  defineMissing(promotionRef: number): Promise<boolean>;
  /**
   * Gets units of a promotion for the partition, which by this version of the definition has none left for so many claims.
   * Absent where the partition is the only one: what it has is all there is.
   */
  readonly obtainUnits:
    | ((promotionRef: number, version: number, claims: number) => Promise<UnitsOutcome>)
    | undefined;
  /** Takes claims back that may be decided now. */
  putBack(claims: readonly WaitingClaim[]): void;
  /** Refuses a claim that may have been settled meanwhile. */
  refuse(claim: WaitingClaim, reason: RefusalReason, needed?: number, seen?: number): void;
  /** Told when some have gone. */
  onGone(): void;
}

/** See the module's comment. */
export class ClaimsAside {
  private readonly ports: ClaimsAsidePorts;
  private readonly defining = new Map<number, WaitingClaim[]>();
  /** By promotion and version. */
  private readonly lacking = new Map<string, WaitingClaim[]>();

  constructor(ports: ClaimsAsidePorts) {
    this.ports = ports;
  }

  /** How many groups wait. */
  get size(): number {
    return this.defining.size + this.lacking.size;
  }

  /** Those that wait for a definition. */
  undefinedOnes(): Iterable<readonly WaitingClaim[]> {
    return this.defining.values();
  }

  /** Those that wait for units. */
  lackingOnes(): Iterable<readonly WaitingClaim[]> {
    return this.lacking.values();
  }

  /** The partition has no record of the promotion. */
  awaitDefinition(claim: WaitingClaim): void {
    const ref = claim.request.promotionRef;
    if (join(this.defining, ref, claim)) void this.define(ref);
  }

  /** The partition has no unit left, by this version of the definition; false when it is the only partition. */
  awaitUnits(claim: WaitingClaim, version: number): boolean {
    const { obtainUnits } = this.ports;
    if (obtainUnits === undefined) return false;
    const ref = claim.request.promotionRef;
    const key = `${ref}@${version}`;
    const isFirst = join(this.lacking, key, claim);
    // Whoever is in the same reply steps aside first, so that units are asked for all of them.
    if (isFirst)
      queueMicrotask(
        () => void this.obtain(key, () => obtainUnits(ref, version, this.lacking.get(key)?.length ?? 1)),
      );
    return true;
  }

  private async define(ref: number): Promise<void> {
    const outcome = await this.ports.defineMissing(ref).catch(() => 'failed' as const);
    const claims = leave(this.defining, ref);
    if (outcome === true) {
      this.ports.putBack(claims);
    } else {
      const reason = outcome === false ? 'PROMOTION_NOT_FOUND' : 'LEDGER_UNAVAILABLE';
      for (const claim of claims) this.ports.refuse(claim, reason);
    }
    this.ports.onGone();
  }

  private async obtain(key: string, ask: () => Promise<UnitsOutcome>): Promise<void> {
    const outcome = await ask();
    const claims = leave(this.lacking, key);
    switch (outcome.kind) {
      case 'granted':
      // Whose time is not up tries again: the partition itself may have got a unit back.
      case 'unavailable':
        this.ports.putBack(claims);
        break;
      case 'exhausted':
        for (const claim of claims) this.ports.refuse(claim, 'SOLD_OUT', outcome.limit, outcome.used);
        break;
    }
    this.ports.onGone();
  }
}

/** Adds a claim to those that wait for the same; true when it is the first. */
function join<Key>(groups: Map<Key, WaitingClaim[]>, key: Key, claim: WaitingClaim): boolean {
  const group = groups.get(key);
  group?.push(claim);
  if (group === undefined) groups.set(key, [claim]);
  return group === undefined;
}

function leave<Key>(groups: Map<Key, WaitingClaim[]>, key: Key): readonly WaitingClaim[] {
  const group = groups.get(key) ?? [];
  groups.delete(key);
  return group.filter(({ isSettled }) => !isSettled);
}
