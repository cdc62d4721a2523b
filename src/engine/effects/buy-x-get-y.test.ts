// SPEC P2, SPEC R14
import { describe, expect, it } from 'vitest';
import type { EffectOf } from '../../domain/promotion.ts';
import { type TrialLine, trialOf, tryEffect } from './effect-trial.ts';

type BuyXGetY = EffectOf<'buy_x_get_y'>;

const offer = (buyQuantity: number, getQuantity: number, more: Partial<BuyXGetY> = {}): BuyXGetY => ({
  kind: 'buy_x_get_y',
  buyQuantity,
  getQuantity,
  basisPoints: 10_000,
  maxGroups: 1000,
  rewardChoice: 'cheapest',
  ...more,
});
const category = (id: string) => ({ itemIds: [], categoryIds: [id] });
const line = (price: number, quantity: number, ...categories: string[]): TrialLine => ({
  price,
  quantity,
  categories,
});

describe('buy X get Y from one pool', () => {
  it.each([
    [2, 0],
    [3, 100],
    [5, 100],
    [6, 200],
    [9, 300],
  ])('of %i units, buy 2 get 1, takes %i off', (quantity, off) => {
    expect(tryEffect(offer(2, 1), [{ price: 100, quantity }]).itemsOff).toBe(off);
  });

  it('rewards the cheapest units, or the dearest on request', () => {
    const lines = [line(500, 1), line(300, 1), line(900, 1)];
    expect(tryEffect(offer(2, 1), lines).off).toEqual([0, 300, 0]);
    expect(tryEffect(offer(2, 1, { rewardChoice: 'dearest' }), lines).off).toEqual([0, 0, 900]);
  });

  it('counts at most the stated number of groups', () => {
    expect(tryEffect(offer(1, 1, { maxGroups: 2 }), [line(100, 9)]).units).toEqual([2]);
  });

  it('takes a part of the price, rounded half up on the line', () => {
    expect(tryEffect(offer(1, 1, { basisPoints: 5000 }), [line(101, 4)]).off).toEqual([101]); // half of 202
    expect(tryEffect(offer(1, 1, { basisPoints: 5000 }), [line(101, 2)]).off).toEqual([51]); // half of 101
  });

  it('takes what is left of the rewarded units', () => {
    expect(tryEffect(offer(1, 1), [{ price: 100, quantity: 3, left: 200 }]).off).toEqual([67]);
  });

  it('says how many units are missing', () => {
    expect(tryEffect(offer(2, 1), [line(100, 2)]).failure).toEqual({
      reason: 'GROUP_NOT_COMPLETE',
      needed: 3,
      seen: 2,
      shortfall: { kind: 'units', missing: 1 },
    });
  });

  it('knows no saving at a spend and spreads nothing', () => {
    const { effect } = trialOf(offer(2, 1), []);
    expect([effect.offAtSpend(10_000), effect.isSpread]).toEqual([undefined, false]);
  });
});

describe('buy X get Y from two pools', () => {
  const shirtsForSocks = offer(2, 1, { buy: category('shirt'), get: category('sock') });

  it('rewards one kind for another', () => {
    const lines = [line(2000, 2, 'shirt'), line(100, 1, 'sock'), line(90, 1, 'sock'), line(1, 1, 'other')];
    expect(tryEffect(shirtsForSocks, lines).off).toEqual([0, 0, 90, 0]);
  });

  it('gives nothing without a unit to reward, and tells no number that would help', () => {
    const { failure, itemsOff } = tryEffect(shirtsForSocks, [line(2000, 7, 'shirt')]);
    expect(itemsOff).toBe(0);
    expect(failure).toEqual({ reason: 'GROUP_NOT_COMPLETE', needed: 3, seen: 2 });
  });

  it('rewards what is bought when no other reward is named', () => {
    const shirts = offer(1, 1, { buy: category('shirt') });
    const lines = [line(50, 4, 'sock'), line(300, 1, 'shirt'), line(200, 1, 'shirt')];
    expect(tryEffect(shirts, lines).off).toEqual([0, 0, 200]);
  });

  it('counts eligible lines only', () => {
    const lines = [line(2000, 2, 'shirt'), line(90, 1, 'sock'), line(100, 1, 'sock')];
    expect(tryEffect(shirtsForSocks, lines, { eligible: [0, 2] }).off).toEqual([0, 0, 100]);
    expect(tryEffect(shirtsForSocks, lines, { eligible: [1, 2] }).failure?.seen).toBe(1);
  });
});

describe('buy X get Y from pools that overlap', () => {
  const anyForSale = offer(2, 1, { get: category('sale') });

  it('uses a unit once, as bought or as rewarded', () => {
    expect(tryEffect(anyForSale, [line(100, 2, 'sale')]).failure?.seen).toBe(2);
    expect(tryEffect(anyForSale, [line(100, 3, 'sale')]).units).toEqual([1]);
    expect(tryEffect(anyForSale, [line(100, 3, 'sale'), line(900, 3)]).units).toEqual([2, 0]);
  });

  it('keeps enough of the shared units to be bought', () => {
    // Two groups need four bought units: one of the shared ones and all three of the others.
    const buyAll = offer(2, 1, { buy: category('a'), get: category('b') });
    const lines = [line(10, 3, 'a', 'b'), line(20, 3, 'a'), line(30, 1, 'b')];
    expect(tryEffect(buyAll, lines).units).toEqual([2, 0, 0]);
    const scarce = [line(10, 3, 'a', 'b'), line(20, 2, 'a'), line(30, 1, 'b')];
    expect(tryEffect(buyAll, scarce).units).toEqual([1, 0, 1]);
  });
});
