/**
 * What earlier orders have left of limits, as far as evaluations need to know: a copy of the ledger's counters that is at most
 * a moment old. It may be wrong by what happened since; the reservation counts exactly.
 */
import type { LiveLimit, UseCount } from '../domain/live-limit.ts';
import { usesLeft } from '../domain/live-limit.ts';
import { encodeList } from '../evaluation/live-inputs.ts';
import type { LedgerReads } from '../ledger/reads.ts';
import { USAGE_FIELDS } from '../ledger/record-fields.ts';
import { usageOf } from '../ledger/transaction.ts';
import type { ExhaustedLimit, ExhaustedPromotions } from '../redemption/redemption-ports.ts';
import type { UseLimits } from '../redemption/usage-steps.ts';
import { usePeriod } from '../redemption/use-periods.ts';
import {
  HINT_OLD_MS,
  HINT_REFRESH_MS,
  LIMITS_PER_REFRESH,
  LIMITS_SENT,
  NEAR_BUDGET_MINOR,
  NEAR_USES,
} from './limits.ts';

/** What the hints need from outside. */
export interface LimitHintsPorts {
  /** Promotions with limits, by ref. */
  readonly limited: ReadonlyMap<number, UseLimits>;
  readonly readCounters: LedgerReads['counters'];
  /** The ledger's clock, epoch milliseconds. */
  readonly nowMs: () => number;
}

const NOTHING: Hints = { list: [], bytes: encodeList([]) };

/** Limits that may bind an order, by ref, and the same as it travels to workers. */
export interface Hints {
  readonly list: readonly LiveLimit[];
  readonly bytes: Uint8Array;
}

/** Keeps the copy; see the module's comment. */
export class LimitHints implements ExhaustedPromotions {
  private readonly ports: LimitHintsPorts;
  private readonly known = new Map<number, LiveLimit>();
  private readonly noted = new Map<number, number>();
  private hints: Hints | undefined = NOTHING;
  private readAtMs = Number.NEGATIVE_INFINITY;
  private running: Promise<void> | undefined;
  /** Where among the limited promotions the next refresh begins. */
  private next = 0;

  constructor(ports: LimitHintsPorts) {
    this.ports = ports;
  }

  /** Whether there is anything to know. */
  get isNeeded(): boolean {
    return this.ports.limited.size > 0;
  }

  /** What is known now; begins to read again when it is a quarter of a second old. */
  current(): Hints {
    if (!this.isNeeded) return NOTHING;
    if (this.ageMs >= HINT_REFRESH_MS) void this.refresh();
    this.hints ??= hintsOf(this.known, this.ports.limited);
    return this.hints;
  }

  /** Whether what is known is too old to go by, after a time without carts. */
  get isOld(): boolean {
    return this.isNeeded && this.ageMs >= HINT_OLD_MS;
  }

  /** Reads the counters; never throws: without them the last ones serve, and the reservation decides. */
  refresh(): Promise<void> {
    this.running ??= this.read().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  note(promotionRef: number, _userId: string, limit: ExhaustedLimit, seen: number): void {
    // Uses by a user are read with the user's account, each time.
    if (limit === 'USER_USES_EXHAUSTED') return;
    const before = this.known.get(promotionRef) ?? { promotionRef };
    const amountMinor = this.ports.limited.get(promotionRef)?.budgetMinor ?? seen;
    const found =
      limit === 'USES_EXHAUSTED'
        ? { uses: { allowed: seen, seen } }
        : { budget: { amountMinor, leftMinor: Math.max(0, amountMinor - seen) } };
    this.known.set(promotionRef, { ...before, ...found });
    this.noted.set(promotionRef, this.ports.nowMs());
    this.hints = undefined;
  }

  private get ageMs(): number {
    return this.ports.nowMs() - this.readAtMs;
  }

  private async read(): Promise<void> {
    const startedMs = this.ports.nowMs();
    this.readAtMs = startedMs;
    const asks = this.turn().map(([ref, limits]) => ({ ref, limits, ...ask(ref, limits, startedMs) }));
    try {
      const replies = await this.ports.readCounters(asks);
      for (const [index, { ref, limits }] of asks.entries()) {
        // What was found out while this was under way is newer.
        if ((this.noted.get(ref) ?? 0) >= startedMs) continue;
        this.noted.delete(ref);
        this.known.set(ref, limitOf(ref, limits, replies[index] ?? []));
      }
      this.hints = undefined;
    } catch {
      // Reserving says what is wrong with the ledger; a question about a cart goes on with what was known.
    }
  }

  /** The limited promotions whose turn it is; all of them unless there are very many. */
  private turn(): (readonly [number, UseLimits])[] {
    const { limited } = this.ports;
    for (const ref of this.known.keys()) if (!limited.has(ref)) this.known.delete(ref);
    const all = [...limited];
    const start = this.next < all.length ? this.next : 0;
    this.next = start + LIMITS_PER_REFRESH;
    return all.slice(start, this.next);
  }
}

function ask(ref: number, { periods, timeZone }: UseLimits, nowMs: number) {
  const ofPeriods = periods.map(({ kind }) => Buffer.from(usePeriod(kind, timeZone, nowMs).field));
  return { on: usageOf(ref), fields: [USAGE_FIELDS.uses.bytes, USAGE_FIELDS.money.bytes, ...ofPeriods] };
}

function limitOf(ref: number, limits: UseLimits, counts: readonly (number | null)[]): LiveLimit {
  const [uses = 0, moneyMinor = 0, ...ofPeriods] = counts.map((count) => Math.max(0, count ?? 0));
  const { total, periods, budgetMinor } = limits;
  const counted: UseCount[] = [
    ...(total === undefined ? [] : [{ allowed: total, seen: uses }]),
    ...periods.map(({ uses: allowed }, index) => ({ allowed, seen: ofPeriods[index] ?? 0 })),
  ];
  const [tightest] = counted.sort((left, right) => usesLeft(left) - usesLeft(right));
  return {
    promotionRef: ref,
    ...(tightest !== undefined && { uses: tightest }),
    ...(budgetMinor !== undefined && {
      budget: { amountMinor: budgetMinor, leftMinor: Math.max(0, budgetMinor - moneyMinor) },
    }),
  };
}

/** Those that may bind an order; where there are very many, those with the fewest uses left, then the least money. */
function hintsOf(known: ReadonlyMap<number, LiveLimit>, limited: ReadonlyMap<number, UseLimits>): Hints {
  const binding = [...known.values()].flatMap((limit) =>
    limited.has(limit.promotionRef) ? (bindingOf(limit) ?? []) : [],
  );
  const list =
    binding.length <= LIMITS_SENT
      ? binding
      : binding.sort((left, right) => tightness(left) - tightness(right)).slice(0, LIMITS_SENT);
  return { list, bytes: encodeList(list) };
}

function bindingOf({ promotionRef, uses, budget }: LiveLimit): LiveLimit | undefined {
  const isNear = uses !== undefined && usesLeft(uses) < NEAR_USES;
  const isShort = budget !== undefined && budget.leftMinor < NEAR_BUDGET_MINOR;
  if (!isNear && !isShort) return undefined;
  return { promotionRef, ...(isNear && { uses }), ...(isShort && { budget }) };
}

function tightness({ uses, budget }: LiveLimit): number {
  return Math.min(uses === undefined ? Infinity : usesLeft(uses), budget?.leftMinor ?? Infinity);
}
