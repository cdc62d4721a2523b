/** What a kind of rule contributes to a compiled promotion. Every file in `rules/` exports one {@link RuleCompiler}. */
import type { UserFacts } from '../domain/cart.ts';
import type { Failure } from '../domain/decision.ts';
import type { EffectKind, RuleKind, RuleOf } from '../domain/promotion.ts';
import type { LineList, PreparedCart } from './prepared-cart.ts';
import type { LineMatcher, SelectionKeys } from './selection.ts';
import type { Vocabulary } from './vocabulary.ts';
import type { WallClock } from './wall-clock.ts';

/** Everything a rule may look at. */
export interface RuleContext {
  readonly cart: PreparedCart;
  /** Lines inside the scope that are not excluded. */
  readonly eligible: LineList;
  /** Sum of the eligible lines before any discount. */
  readonly spendMinor: number;
  /** Units on the eligible lines. */
  readonly units: number;
  /** Sum of all lines that are not excluded, whatever the scope, before any discount. */
  readonly orderSpendMinor: number;
  readonly facts: UserFacts;
  /** The moment of the evaluation. */
  readonly atMs: number;
  readonly wallClock: WallClock;
}

/** Undefined when the rule holds. */
export type RuleCheck = (context: RuleContext) => Failure | undefined;

/** With what a promotion may be combined. */
export interface Stacking {
  readonly isAlone: boolean;
  readonly excludedKinds: ReadonlySet<EffectKind>;
  readonly exclusiveGroups: ReadonlySet<string>;
  /** It wins over what it excludes and what ranks lower, whatever that saves. */
  readonly isFirstByPriority: boolean;
}

/** The parts of one rule; a kind gives those it has. */
export interface RuleParts {
  /** The only lines that take part. */
  readonly scope?: LineMatcher;
  /** Lines that do not take part. */
  readonly excluded?: { linesOf(cart: PreparedCart): LineList };
  /** What must hold before any discount is taken. */
  readonly check?: RuleCheck;
  /** The eligible lines must still cost this much when the promotion's turn comes, after the discounts before it. */
  readonly spendAfterMinor?: number;
  readonly stacking?: Stacking;
  /** At least one of these must be in the cart; without them the promotion is not worth a look. */
  readonly anyOfKeys?: SelectionKeys;
}

/** A definition that cannot be compiled: the rule or effect, and why. */
export class UncompilableError extends Error {
  override readonly name = 'UncompilableError';
  /** Path inside the promotion: `rules[2].cel.expression`. */
  readonly field: string;

  constructor(field: string, reason: string) {
    super(reason);
    this.field = field;
  }
}

/** One kind of rule. */
export interface RuleCompiler<Kind extends RuleKind> {
  readonly kind: Kind;
  /** Throws {@link UncompilableError} with a path relative to the rule (`cel.expression`). */
  compile(rule: RuleOf<Kind>, vocabulary: Vocabulary): RuleParts;
}
