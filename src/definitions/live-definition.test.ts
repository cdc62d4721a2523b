import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import {
  FinishReason,
  type Promotion,
  PromotionSchema,
  PromotionState,
} from '../gen/hongbao/v1/promotion_pb.ts';
import { liveDefinition } from './live-definition.ts';
import { promotionView } from './promotion-view.ts';

const NOON = Date.parse('2026-05-01T12:00:00Z');
const LATER = Date.parse('2026-06-01T00:00:00Z');
const BODY = new Uint8Array([1]);

function promotion(changes: JsonObject = {}): Promotion {
  return fromJson(PromotionSchema, {
    promotionId: 'spring',
    ref: 7,
    version: 3,
    state: 'PROMOTION_STATE_ACTIVE',
    reach: { claimable: {} },
    ...changes,
  });
}

describe('what the ledger is told', () => {
  // SPEC P5, P6, P7: the defaults are one per user, for life, for everyone, always valid.
  test('a promotion that says nothing gets the defaults', () => {
    expect(liveDefinition(promotion(), BODY)).toEqual({
      ref: 7,
      id: 'spring',
      version: 3,
      state: 'active',
      claimable: true,
      perUserLimit: 1,
      acknowledgement: 'durable',
      validity: { kind: 'fixed' },
      target: { kind: 'everyone' },
      body: BODY,
    });
  });

  test('everything it says is told', () => {
    const live = liveDefinition(
      promotion({
        state: 'PROMOTION_STATE_INACTIVE',
        reach: { pointsExchange: { pointsRequired: 1 } },
        stock: { quantity: 500, unlimitedPerUser: true, claimStartsAt: '2026-05-01T12:00:00.5Z' },
        validity: { daysAfterClaim: { days: 7 } },
        target: { newUsers: { registeredWithinDays: 30 } },
        acknowledgement: 'ACKNOWLEDGEMENT_LEVEL_FAST',
      }),
      BODY,
    );
    expect(live).toEqual({
      ref: 7,
      id: 'spring',
      version: 3,
      state: 'inactive',
      claimable: false,
      claimStartMs: NOON + 500,
      quantity: 500,
      acknowledgement: 'fast',
      validity: { kind: 'days', days: 7 },
      target: { kind: 'new_users', registeredWithinDays: 30 },
      body: BODY,
    });
  });

  test('tags are told; claims end with the claim window or with the use window, whichever is first', () => {
    const live = liveDefinition(
      promotion({
        stock: { claimEndsAt: '2026-06-01T00:00:00Z' },
        validity: { fixedDates: { endsAt: '2026-05-01T12:00:00Z' } },
        target: { taggedUsers: { anyOfTags: ['gold', 'vip'] } },
      }),
      BODY,
    );
    expect(live.claimEndMs).toBe(NOON);
    expect(live.validity).toEqual({ kind: 'fixed', endMs: NOON });
    expect(live.target).toEqual({ kind: 'tags', anyOf: ['gold', 'vip'] });
  });
});

// SPEC P6: finished when the window is over or the stock is gone, undone when either is extended.
describe('the state people see', () => {
  const windowed = promotion({ validity: { fixedDates: { endsAt: '2026-05-01T12:00:00Z' } } });
  const stocked = promotion({ stock: { quantity: 10 } });

  test.each([
    [
      'the last instant is still in the window',
      windowed,
      0,
      NOON,
      PromotionState.ACTIVE,
      FinishReason.UNSPECIFIED,
    ],
    [
      'after it the promotion is finished',
      windowed,
      0,
      NOON + 1,
      PromotionState.FINISHED,
      FinishReason.WINDOW_OVER,
    ],
    ['stock left', stocked, 9, LATER, PromotionState.ACTIVE, FinishReason.UNSPECIFIED],
    ['sold out', stocked, 10, LATER, PromotionState.FINISHED, FinishReason.SOLD_OUT],
    ['unlimited stock', promotion(), 1_000_000, LATER, PromotionState.ACTIVE, FinishReason.UNSPECIFIED],
  ])('%s', (_, stored, issued, nowMs, state, finishReason) => {
    expect(promotionView(stored, issued, nowMs)).toMatchObject({
      state,
      finishReason,
      issuedCount: BigInt(issued),
    });
  });

  test('an inactive promotion stays inactive, whatever its window', () => {
    const inactive = promotion({
      state: 'PROMOTION_STATE_INACTIVE',
      validity: { fixedDates: { endsAt: '2026-05-01T12:00:00Z' } },
    });
    expect(promotionView(inactive, 0, LATER).state).toBe(PromotionState.INACTIVE);
  });

  test('the end of claims finishes what is claimed, not what applies by itself', () => {
    const stock = { claimEndsAt: '2026-05-01T12:00:00Z' };
    expect(promotionView(promotion({ stock }), 0, LATER).state).toBe(PromotionState.FINISHED);
    const code = promotion({ stock, reach: { code: { publicCode: { code: 'SPRING' } } } });
    expect(promotionView(code, 0, LATER).state).toBe(PromotionState.ACTIVE);
  });

  test('the stored promotion stays as it was', () => {
    promotionView(stocked, 10, LATER);
    expect(stocked.state).toBe(PromotionState.ACTIVE);
  });
});
