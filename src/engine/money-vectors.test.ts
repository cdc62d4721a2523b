// SPEC R14: the published vectors of the money contract hold for this engine.
import { readFileSync } from 'node:fs';
import { fromJson } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { firstUnitsValue, minorDigits, roundHalfUpShare, spread, unitRuns } from '../domain/money.ts';
import { effectDefinition } from '../evaluation/codec/effect-definition.ts';
import { EffectSchema } from '../gen/hongbao/v1/effect_pb.ts';
import { compileEffect } from './compile-effect.ts';
import { type EffectInput, type EffectOutcome, emptyOutcome } from './effect-parts.ts';
import { type PreparedCart, prepareCart } from './prepared-cart.ts';
import { Vocabulary } from './vocabulary.ts';

const whole = z.int().nonnegative();
const byLine = z.record(z.string(), whole);
const about = { id: z.string().regex(/^[a-z0-9-]+$/), about: z.string().min(1) };

const calculation = z.union([
  z.strictObject({
    ...about,
    round: z.strictObject({ base_minor: whole, discount_basis_points: whole }),
    expect: z.strictObject({ share_minor: whole }),
  }),
  z.strictObject({
    ...about,
    spread: z.strictObject({ total_minor: whole, weights: z.array(whole) }),
    expect: z.strictObject({ shares: z.array(whole) }),
  }),
  z.strictObject({
    ...about,
    first_units: z.strictObject({ left_minor: whole, quantity: whole, units: whole }),
    expect: z.strictObject({ value_minor: whole }),
  }),
  z.strictObject({
    ...about,
    unit_runs: z.strictObject({ share_minor: whole, units: whole }),
    expect: z.strictObject({ runs: z.array(z.strictObject({ units: whole, amount_minor: whole })) }),
  }),
  z.strictObject({
    ...about,
    minor_digits: z.strictObject({ currency: z.string() }),
    expect: z.strictObject({ digits: whole }),
  }),
]);

const step = z.strictObject({
  effect: z.json(),
  eligible: z.array(z.string()).optional(),
  gives: z
    .strictObject({
      lines: byLine.default({}),
      units: byLine.default({}),
      shipping_minor: whole.default(0),
      gifts: z.array(z.strictObject({ item_id: z.string(), quantity: whole })).default([]),
      points: whole.default(0),
    })
    .optional(),
  fails: z
    .strictObject({
      reason: z.string(),
      needed: whole.optional(),
      seen: whole.optional(),
      missing: whole.optional(),
      missing_kind: z.enum(['minor', 'units']).optional(),
    })
    .optional(),
});

const sequence = z.strictObject({
  ...about,
  cart: z.strictObject({
    currency: z.string(),
    shipping_minor: whole.default(0),
    lines: z.array(
      z.strictObject({
        line_id: z.string(),
        item_id: z.string(),
        unit_price_minor: whole,
        quantity: whole,
        category_ids: z.array(z.string()).default([]),
      }),
    ),
    offers: z
      .array(z.strictObject({ item_id: z.string(), unit_price_minor: whole, is_available: z.boolean() }))
      .default([]),
  }),
  steps: z.array(step).min(1),
  left: z.strictObject({ lines: byLine.default({}), shipping_minor: whole }),
});

/** Held to by `domain/refund-vectors.test.ts`. */
const refunds = z.strictObject({ ...about, order: z.unknown(), refunds: z.array(z.unknown()) });

type Calculation = z.output<typeof calculation>;
type Sequence = z.output<typeof sequence>;
type Step = z.output<typeof step>;

const file = z
  .strictObject({ format: z.literal(1), vectors: z.array(z.union([sequence, calculation, refunds])) })
  .parse(parse(readFileSync(new URL('../../docs/money-vectors.yaml', import.meta.url), 'utf8')));
const sequences = file.vectors.flatMap((vector) => ('steps' in vector ? [vector] : []));
const calculations = file.vectors.flatMap((vector) =>
  'steps' in vector || 'refunds' in vector ? [] : [vector],
);

function calculate(vector: Calculation): Calculation['expect'] {
  if ('round' in vector) {
    return { share_minor: roundHalfUpShare(vector.round.base_minor, vector.round.discount_basis_points) };
  }
  if ('spread' in vector) return { shares: spread(vector.spread.total_minor, vector.spread.weights) };
  if ('first_units' in vector) {
    const { left_minor, quantity, units } = vector.first_units;
    return { value_minor: firstUnitsValue(left_minor, quantity, units) };
  }
  if ('unit_runs' in vector) {
    const runs = unitRuns(vector.unit_runs.share_minor, vector.unit_runs.units);
    return { runs: runs.map(({ units, amountMinor }) => ({ units, amount_minor: amountMinor })) };
  }
  return { digits: minorDigits(vector.minor_digits.currency) };
}

/** A cart on which one effect after the other is applied. */
class Sequencer {
  readonly #vocabulary = new Vocabulary();
  readonly #cart: PreparedCart;
  readonly #left: Float64Array;
  #shippingLeftMinor: number;

  constructor({ cart }: Sequence) {
    this.#cart = prepareCart(
      {
        currency: cart.currency,
        taxMode: 'included',
        shippingMinor: cart.shipping_minor,
        attributes: new Map(),
        lines: cart.lines.map((line) => ({
          lineId: line.line_id,
          itemId: line.item_id,
          categoryIds: line.category_ids,
          quantity: line.quantity,
          unitPriceMinor: line.unit_price_minor,
          isOnSale: false,
        })),
      },
      this.#vocabulary,
      new Map(
        cart.offers.map((offer) => [
          offer.item_id,
          { unitPriceMinor: offer.unit_price_minor, isAvailable: offer.is_available },
        ]),
      ),
    );
    this.#left = Float64Array.from(this.#cart.amounts);
    this.#shippingLeftMinor = cart.shipping_minor;
  }

  /** What the step gave, or why it failed, in the words of the vector. */
  run({ effect, eligible }: Step): Pick<Step, 'gives' | 'fails'> {
    const compiled = compileEffect(effectDefinition(fromJson(EffectSchema, effect)), this.#vocabulary);
    const cart = prepareCart(this.#cart.cart, this.#vocabulary, this.#cart.offers);
    const input = this.#input(cart, eligible);
    const failure = compiled.check(input);
    if (failure !== undefined) {
      const { shortfall, ...rest } = failure;
      const missing =
        shortfall === undefined ? {} : { missing: shortfall.missing, missing_kind: shortfall.kind };
      return { fails: step.shape.fails.parse({ ...rest, ...missing }) };
    }
    const outcome = emptyOutcome(cart.lines.length);
    compiled.apply(input, outcome);
    return { gives: this.#take(outcome) };
  }

  /** What is left, in the words of the vector. */
  get left(): Sequence['left'] {
    return { lines: this.#named(this.#left, () => true), shipping_minor: this.#shippingLeftMinor };
  }

  #input(cart: PreparedCart, eligible: readonly string[] | undefined): EffectInput {
    const places = cart.allLines.filter(
      (place) => eligible === undefined || eligible.includes(cart.lines[place]?.lineId ?? ''),
    );
    const sum = (values: ArrayLike<number>): number =>
      places.reduce((total, place) => total + (values[place] ?? 0), 0);
    return {
      cart,
      eligible: places,
      spendMinor: sum(cart.amounts),
      units: sum(cart.quantities),
      left: this.#left,
      shippingLeftMinor: this.#shippingLeftMinor,
      isOptimistic: false,
    };
  }

  #take({
    lineOff,
    unitsOff,
    itemsOffMinor,
    shippingOffMinor,
    gifts,
    bonusPoints,
  }: EffectOutcome): Step['gives'] {
    expect(lineOff.reduce((sum, off) => sum + off, 0)).toBe(itemsOffMinor);
    for (const [place, off] of lineOff.entries()) this.#left[place] = (this.#left[place] ?? 0) - off;
    this.#shippingLeftMinor -= shippingOffMinor;
    return {
      lines: this.#named(lineOff, (place) => (lineOff[place] ?? 0) > 0),
      units: this.#named(unitsOff, (place) => (lineOff[place] ?? 0) > 0),
      shipping_minor: shippingOffMinor,
      gifts: gifts.map(({ itemId, quantity }) => ({ item_id: itemId, quantity })),
      points: bonusPoints,
    };
  }

  #named(values: Float64Array, isShown: (place: number) => boolean): Record<string, number> {
    const shown = this.#cart.allLines.filter(isShown);
    return Object.fromEntries(
      shown.map((place) => [this.#cart.lines[place]?.lineId ?? '', values[place] ?? 0]),
    );
  }
}

describe('the vectors of the money contract', () => {
  it.each(calculations.map((vector) => [vector.id, vector] as const))('%s', (_, vector) => {
    expect(calculate(vector)).toEqual(vector.expect);
  });

  it.each(sequences.map((vector) => [vector.id, vector] as const))('%s', (_, vector) => {
    const sequencer = new Sequencer(vector);
    for (const { gives, fails, ...rest } of vector.steps) {
      expect(sequencer.run(rest)).toEqual(gives === undefined ? { fails } : { gives });
    }
    expect(sequencer.left).toEqual(vector.left);
  });

  it('have ids of their own, are at least sixty, and have every kind of effect', () => {
    const ids = file.vectors.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThanOrEqual(60);
    const used = sequences.flatMap(({ steps }) =>
      steps.flatMap(({ effect }) => Object.keys(z.record(z.string(), z.unknown()).parse(effect))),
    );
    const kinds = EffectSchema.oneofs.flatMap(({ fields }) => fields.map(({ name }) => name));
    expect(kinds.filter((kind) => !used.includes(kind))).toEqual([]);
  });
});
