/** The real engine and its codecs in this process, asked as a worker thread is asked. */
import { fromBinary } from '@bufbuild/protobuf';
import type { LiveLimit } from '../../src/domain/live-limit.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import { RuleTable } from '../../src/engine/rule-table.ts';
import { answerItem } from '../../src/evaluation/answer-item.ts';
import { promotionDefinition } from '../../src/evaluation/codec/promotion-definition.ts';
import { encodeList } from '../../src/evaluation/live-inputs.ts';
import { EvaluateCartRequestSchema } from '../../src/gen/hongbao/v1/cart_service_pb.ts';
import type { Promotion } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { userUsesField } from '../../src/ledger/record-fields.ts';
import { accountOf, usageOf } from '../../src/ledger/transaction.ts';
import { useLimits } from '../../src/redemption/usage-steps.ts';
import { usePeriod } from '../../src/redemption/use-periods.ts';

const NO_BYTES = new Uint8Array();
const COUPONS_PER_ORDER = 2;

/** The rules of these promotions. Throws when one does not compile. */
export function rulesOf(promotions: readonly Promotion[]): RuleTable {
  const table = new RuleTable();
  const changes = promotions.map((promotion) => {
    const { definition, faults } = promotionDefinition(promotion);
    if (definition === undefined) throw new Error(JSON.stringify(faults));
    return { ref: promotion.ref, definition };
  });
  const faults = table.change(changes, 1);
  if (faults.length > 0) throw new Error(JSON.stringify(faults));
  return table;
}

/** Answers EvaluateCartRequests by the rules, the user's wallet, and what is left of limits right now. */
export class CartDecider {
  private readonly ledger: Ledger;
  private readonly table: RuleTable;
  private readonly limited: readonly Promotion[];

  constructor(ledger: Ledger, promotions: readonly Promotion[]) {
    this.ledger = ledger;
    this.table = rulesOf(promotions);
    this.limited = promotions.filter(({ limits }) => limits !== undefined);
  }

  /** Gives the EvaluateCartResponse. Throws its refusals. */
  async decide(request: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    const { userId, useWallet } = fromBinary(EvaluateCartRequestSchema, request);
    const nowMs = this.ledger.nowMs();
    const [limits, wallet = NO_BYTES] = await Promise.all([
      this.limitsFor(userId, nowMs, deadlineMs),
      useWallet ? this.walletOf(userId, deadlineMs) : NO_BYTES,
    ]);
    const live = { facts: NO_BYTES, limits: encodeList(limits), codes: NO_BYTES };
    const item = { kind: 'evaluate_cart', areFactsBelieved: true, nowMs, request, wallet, live } as const;
    const outcome = answerItem({ ...item, bodies: [], lookedUp: [] }, this.table, COUPONS_PER_ORDER);
    if (outcome.kind === 'answered') return outcome.response;
    if (outcome.kind === 'refused') throw new Refusal(outcome.refusal.reason, outcome.refusal.message);
    throw new Error('the rules of a sequence have one version each');
  }

  private async walletOf(userId: string, deadlineMs: number): Promise<Uint8Array | undefined> {
    const [kept] = await this.ledger.read(deadlineMs, (reads) => reads.keptWallets([userId]));
    return kept?.coupons;
  }

  private async limitsFor(userId: string, nowMs: number, deadlineMs: number): Promise<LiveLimit[]> {
    const names = [accountOf(userId), ...this.limited.map(({ ref }) => usageOf(ref))];
    const [account, ...usages] = await this.ledger.read(deadlineMs, (reads) => reads.records(names));
    return this.limited.map(({ ref, limits }, place) => {
      const { total, perUser, periods, budgetMinor, timeZone } = useLimits(limits);
      const counted = (field: string): number => Number(usages[place]?.get(field)?.toString() ?? 0);
      const bounds = [
        ...(total === undefined ? [] : [{ allowed: total, seen: counted('n') }]),
        ...periods.map(({ kind, uses }) => {
          return { allowed: uses, seen: counted(usePeriod(kind, timeZone, nowMs).field) };
        }),
      ];
      const [uses] = bounds.toSorted((one, other) => one.allowed - one.seen - (other.allowed - other.seen));
      const own = Number(account?.get(userUsesField(ref).toString('latin1'))?.toString() ?? 0);
      const leftMinor = Math.max(0, (budgetMinor ?? 0) - counted('m'));
      return {
        promotionRef: ref,
        ...(uses && { uses }),
        ...(perUser !== undefined && { userUses: { allowed: perUser, seen: own } }),
        ...(budgetMinor !== undefined && { budget: { amountMinor: budgetMinor, leftMinor } }),
      };
    });
  }
}
