/** The promotions a chaos run sells: small enough that stock, limits and budgets run out while it lasts. */

import { AcknowledgementLevel } from '../../../src/gen/hongbao/v1/promotion_pb.ts';
import { PromotionService } from '../../../src/gen/hongbao/v1/promotion_service_pb.ts';
import type { PromotionInit } from './staff-asks.ts';
import type { Wire } from './wire.ts';

/** A promotion of a run. */
export interface CatalogueEntry {
  readonly promotionId: string;
  readonly promotion: PromotionInit;
  /** How the load comes by its coupons. */
  readonly way: 'claim' | 'exchange' | 'code' | 'automatic';
  /** Stock that staff vary while the load is on; absent: it stays. */
  readonly restocked?: { readonly from: number; readonly to: number };
  /** Staff switch it off and on while the load is on. */
  readonly isSwitched?: boolean;
}

/** What one coupon of the exchange costs. */
export const EXCHANGE_POINTS = 50;
const DISCOUNT_MINOR = 300n;
const VALID_DAYS = 30;

const AFTER_CLAIM: PromotionInit['validity'] = {
  kind: { case: 'daysAfterClaim', value: { days: VALID_DAYS } },
};

function promotion(name: string, changes: PromotionInit): PromotionInit {
  return {
    name: { en: name, zh: name },
    currency: 'CNY',
    effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: DISCOUNT_MINOR } } },
    validity: AFTER_CLAIM,
    ...changes,
  };
}

function claimable(stock: NonNullable<PromotionInit['stock']>, changes: PromotionInit = {}): PromotionInit {
  return promotion('claim', { reach: { way: { case: 'claimable', value: {} } }, stock, ...changes });
}

/** The promotions of a run; `prefix` keeps runs on the same stores apart. */
export function catalogueOf(prefix: string): CatalogueEntry[] {
  const id = (name: string): string => `${prefix}-${name}`;
  return [
    {
      promotionId: id('flash'),
      way: 'claim',
      promotion: claimable({ quantity: 25n, perUserLimit: 1 }),
      restocked: { from: 15, to: 55 },
    },
    { promotionId: id('thrice'), way: 'claim', promotion: claimable({ perUserLimit: 3 }), isSwitched: true },
    {
      promotionId: id('fast'),
      way: 'claim',
      promotion: claimable(
        { quantity: 5_000n, perUserLimit: 10 },
        { acknowledgement: AcknowledgementLevel.FAST },
      ),
    },
    {
      promotionId: id('plenty'),
      way: 'claim',
      promotion: claimable({ unlimitedPerUser: true }, { limits: { usesTotal: 150n, usesPerUser: 4n } }),
    },
    {
      promotionId: id('bought'),
      way: 'exchange',
      promotion: promotion('bought', {
        reach: { way: { case: 'pointsExchange', value: { pointsRequired: BigInt(EXCHANGE_POINTS) } } },
        stock: { quantity: 15n, perUserLimit: 5 },
      }),
      restocked: { from: 10, to: 120 },
    },
    {
      promotionId: id('coded'),
      way: 'code',
      promotion: promotion('coded', {
        reach: { way: { case: 'code', value: { codes: { case: 'singleUseCodes', value: {} } } } },
        stock: { quantity: 300n, perUserLimit: 2 },
      }),
    },
    {
      promotionId: id('own'),
      way: 'automatic',
      promotion: promotion('own', {
        reach: { way: { case: 'automatic', value: {} } },
        limits: { budget: { amountMinor: 30_000n }, usesPerUser: 6n },
        validity: { kind: { case: 'fixedDates', value: {} } },
      }),
    },
  ];
}

/** So many single-use codes for a run. */
export function codesOf(prefix: string, count: number): string[] {
  const letters = prefix.replaceAll(/[^a-z0-9]/gi, '').toUpperCase();
  return Array.from({ length: count }, (_, index) => `CHAOS${letters}${String(index).padStart(5, '0')}`);
}

const IMPORT_TIMEOUT_MS = 10_000;

/** Brings codes in. Throws with the reason when they are refused. */
export async function importCodes(wire: Wire, promotionId: string, codes: readonly string[]): Promise<void> {
  const csv = Buffer.from(`code\n${codes.join('\n')}\n`);
  const request = { promotionId, requestId: `import-${promotionId}`, csv };
  const end = await wire.call(PromotionService.method.importCodes, request, IMPORT_TIMEOUT_MS);
  if (end.kind !== 'ok') throw new Error(`codes were not imported: ${end.reason}`);
}
