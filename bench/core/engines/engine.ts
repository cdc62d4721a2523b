/** What is compared: engines that say which of many promotions match a cart. */
import type { PromotionDefinition } from '../../../src/domain/promotion.ts';
import type { EvaluationInput } from '../../../src/engine/evaluation-input.ts';

/** The engines. */
export const ENGINE_KEYS = [
  'ours',
  'ours_matching',
  'plain_loop',
  'json_rules_engine',
  'zen_engine',
] as const;

/** One of them. */
export type EngineKey = (typeof ENGINE_KEYS)[number];

/** One input, laid out for an engine. */
export interface PreparedInput {
  /** What is timed; it must give the engine's own answer, not translated. Engines that answer later return a promise. */
  readonly run: () => unknown;
  /** Ids of the promotions whose conditions hold, in order, read from an answer of `run`. Not timed. */
  readonly matchesOf: (answer: unknown) => string[];
}

/** An engine with a rule set loaded. */
export interface LoadedEngine {
  prepare(input: EvaluationInput): PreparedInput;
}

/** Loads a rule set. */
export type EngineLoader = (promotions: readonly PromotionDefinition[]) => LoadedEngine;
