import type { DiscountClass } from '../domain/decision.ts';
import type { PromotionDefinition, Rule } from '../domain/promotion.ts';
import { compileEffect } from './compile-effect.ts';
import { compileRule } from './compile-rule.ts';
import type { CompiledPromotion } from './compiled-promotion.ts';
import type { CompiledEffect } from './effect-parts.ts';
import { type RuleParts, type Stacking, UncompilableError } from './rule-parts.ts';
import { compileSelection, type SelectionKeys } from './selection.ts';
import type { Vocabulary } from './vocabulary.ts';

/** One thing that is wrong with a promotion. */
export interface CompileFault {
  /** Path inside the promotion: `rules[2].cel.expression`. */
  readonly field: string;
  readonly reason: string;
}

/** A promotion that cannot be compiled, with everything that is wrong; as an error it is the first of its faults. */
export class UncompilablePromotionError extends UncompilableError {
  readonly faults: readonly CompileFault[];

  constructor(first: CompileFault, others: readonly CompileFault[]) {
    super(first.field, first.reason);
    this.faults = [first, ...others];
  }
}

/** Combines with everything that allows it. */
const FREELY_COMBINED: Stacking = {
  isAlone: false,
  excludedKinds: new Set(),
  exclusiveGroups: new Set(),
  isFirstByPriority: false,
};

/** Compiles one version of a promotion. Throws {@link UncompilablePromotionError} with every fault. */
export function compilePromotion(definition: PromotionDefinition, vocabulary: Vocabulary): CompiledPromotion {
  const faults: CompileFault[] = [];
  const effect = gather(faults, 'effect.', () => compileEffect(definition.effect, vocabulary));
  const parts = definition.rules.map((rule, index) =>
    gather(faults, `rules[${index}].`, () => compileRule(rule, vocabulary)),
  );
  faults.push(...secondOnes(definition.rules, parts));
  const [first, ...others] = faults;
  if (first !== undefined) throw new UncompilablePromotionError(first, others);
  if (effect === undefined) throw new Error('an effect that did not compile has no fault');
  const good = parts.map((part) => part ?? {});
  return assemble(definition, effect, good, vocabulary);
}

function gather<Part>(faults: CompileFault[], path: string, compile: () => Part): Part | undefined {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof UncompilableError)) throw error;
    faults.push({ field: `${path}${error.field}`, reason: error.message });
    return undefined;
  }
}

/** Parts of which a promotion has one: a second would silently replace the first. */
const AT_MOST_ONE = ['scope', 'spendAfterMinor', 'stacking'] as const satisfies readonly (keyof RuleParts)[];

function secondOnes(rules: readonly Rule[], parts: readonly (RuleParts | undefined)[]): CompileFault[] {
  return AT_MOST_ONE.flatMap((name) => {
    const places = parts.flatMap((part, index) => (part?.[name] === undefined ? [] : [index]));
    return places.slice(1).map((index) => ({
      field: `rules[${index}].${rules[index]?.kind}`,
      reason: 'a promotion has at most one rule of this kind',
    }));
  });
}

function assemble(
  definition: PromotionDefinition,
  effect: CompiledEffect,
  parts: readonly RuleParts[],
  vocabulary: Vocabulary,
): CompiledPromotion {
  const scope = parts.find((part) => part.scope !== undefined)?.scope;
  const spendAfter = parts.flatMap(({ spendAfterMinor: minor }, ruleIndex) =>
    minor === undefined ? [] : [{ ruleIndex, minor }],
  )[0];
  const discountClass = classOf(effect, scope !== undefined);
  return {
    definition,
    class: discountClass,
    applicationRank: CLASSES.indexOf(discountClass) * PRIORITY_SPAN - definition.priority,
    effect,
    checks: parts.flatMap(({ check }, ruleIndex) => (check === undefined ? [] : [{ ruleIndex, check }])),
    ...(scope === undefined ? {} : { scope }),
    excluded: parts.flatMap(({ excluded }) => excluded ?? []),
    ...(spendAfter === undefined ? {} : { spendAfter }),
    stacking: parts.find((part) => part.stacking !== undefined)?.stacking ?? FREELY_COMBINED,
    requiredKeys: requiredKeys(definition, effect, parts, vocabulary),
  };
}

/** Items before the order, both before shipping; points last, since they depend on what is paid. */
const CLASSES: readonly DiscountClass[] = ['item', 'order', 'shipping', 'benefit'];

/** More than two priorities can differ by. */
const PRIORITY_SPAN = 4_000_000;

function classOf({ target }: CompiledEffect, hasScope: boolean): DiscountClass {
  if (target !== 'items') return target;
  return hasScope ? 'item' : 'order';
}

/** Lists of which a cart must have something, or else the promotion is not worth a look. */
function requiredKeys(
  { effect }: PromotionDefinition,
  { target }: CompiledEffect,
  parts: readonly RuleParts[],
  vocabulary: Vocabulary,
): SelectionKeys[] {
  const bought = effect.kind === 'buy_x_get_y' ? effect.buy : undefined;
  return [
    ...parts.flatMap(({ anyOfKeys }) => anyOfKeys ?? []),
    ...(target === 'items' && effect.kind !== 'gift_items'
      ? parts.flatMap(({ scope }) => scope?.keys ?? [])
      : []),
    ...(bought === undefined ? [] : [compileSelection(bought, vocabulary).keys]),
  ];
}
