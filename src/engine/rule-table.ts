import { LRUCache } from 'lru-cache';
import type { PromotionDefinition } from '../domain/promotion.ts';
import { compilePromotion, UncompilablePromotionError } from './compile-promotion.ts';
import type { CompiledPromotion } from './compiled-promotion.ts';
import type { HeldCoupon } from './evaluation-input.ts';
import { OLDER_VERSIONS_KEPT } from './limits.ts';
import { CandidateIndex } from './match/candidate-index.ts';
import { Vocabulary } from './vocabulary.ts';

/** A definition that could not be compiled. */
export interface RuleFault {
  readonly promotionId: string;
  readonly version: number;
  /** Path inside the promotion. */
  readonly field: string;
  readonly reason: string;
}

/** A promotion that is new, changed or, without a definition, gone. */
export interface RuleChange {
  readonly ref: number;
  readonly definition?: PromotionDefinition;
}

/** One version of one promotion. */
export interface VersionName {
  readonly ref: number;
  readonly version: number;
}

/**
 * The compiled promotions of one rule-set version, and older versions that coupons hold. It changes in place, but every change
 * is one synchronous call, so an evaluation sees the table of exactly one version.
 */
export class RuleTable {
  readonly vocabulary = new Vocabulary();
  readonly #index = new CandidateIndex();
  readonly #current = new Map<number, CompiledPromotion>();
  readonly #byCode = new Map<string, Set<CompiledPromotion>>();
  readonly #older = new LRUCache<string, CompiledPromotion>({ max: OLDER_VERSIONS_KEPT });
  #version = 0;

  /** The rule-set version of the last change. */
  get version(): number {
    return this.#version;
  }

  /** Promotions in their current version. */
  get size(): number {
    return this.#current.size;
  }

  get index(): CandidateIndex {
    return this.#index;
  }

  /**
   * Takes the promotions as they are in a later rule-set version. One that cannot be compiled is reported, and its last good
   * version goes on serving.
   */
  change(changes: readonly RuleChange[], version: number): RuleFault[] {
    const faults: RuleFault[] = [];
    const gone: CompiledPromotion[] = [];
    const added = new Set<CompiledPromotion>();
    for (const { ref, definition } of changes) {
      const next = definition === undefined ? undefined : this.#compiled(definition, faults);
      if (definition !== undefined && next === undefined) continue;
      const before = this.#current.get(ref);
      if (before !== undefined && !added.delete(before)) gone.push(before);
      this.#replace(ref, before, next);
      if (next !== undefined) added.add(next);
    }
    this.#index.change(gone, [...added].filter(appliesByItself));
    this.#version = version;
    return faults;
  }

  #compiled(definition: PromotionDefinition, faults: RuleFault[]): CompiledPromotion | undefined {
    try {
      return compilePromotion(definition, this.vocabulary);
    } catch (error) {
      const { id: promotionId, version } = definition;
      // Another error is a bug of ours; it must not keep the other promotions from serving.
      const found =
        error instanceof UncompilablePromotionError ? error.faults : [{ field: '', reason: String(error) }];
      faults.push(...found.map((fault) => ({ promotionId, version, ...fault })));
      return undefined;
    }
  }

  #replace(ref: number, before: CompiledPromotion | undefined, next: CompiledPromotion | undefined): void {
    if (before !== undefined) this.#byCode.get(codeOf(before) ?? '')?.delete(before);
    if (next === undefined) {
      this.#current.delete(ref);
      return;
    }
    this.#current.set(ref, next);
    const code = codeOf(next);
    if (code === undefined) return;
    const sharing = this.#byCode.get(code);
    if (sharing === undefined) this.#byCode.set(code, new Set([next]));
    else sharing.add(next);
  }

  /** Takes an older version that coupons hold, or says what is wrong with it. */
  addVersion(definition: PromotionDefinition): RuleFault[] {
    const faults: RuleFault[] = [];
    const compiled = this.#compiled(definition, faults);
    if (compiled !== undefined) this.#older.set(nameOf(definition), compiled);
    return faults;
  }

  /** The version of a promotion; undefined when the table does not hold it. */
  versionOf(name: VersionName): CompiledPromotion | undefined {
    const current = this.#current.get(name.ref);
    return current?.definition.version === name.version ? current : this.#older.get(nameOf(name));
  }

  /** The promotion in its current version. */
  currentOf(ref: number): CompiledPromotion | undefined {
    return this.#current.get(ref);
  }

  /** The promotion that a public code, in lower case, opens. */
  byCode(code: string): CompiledPromotion | undefined {
    const sharing = this.#byCode.get(code);
    return sharing === undefined ? undefined : [...sharing].sort(byPreference)[0];
  }

  /** The versions coupons hold that have to be added before they can be evaluated; each once. */
  missingVersions(coupons: readonly HeldCoupon[]): VersionName[] {
    const missing = new Map<string, VersionName>();
    for (const { promotionRef: ref, promotionVersion: version } of coupons) {
      const name = { ref, version };
      if (this.versionOf(name) === undefined) missing.set(nameOf(name), name);
    }
    return [...missing.values()];
  }
}

function nameOf({ ref, version }: VersionName): string {
  return `${ref}/${version}`;
}

function appliesByItself({ definition }: CompiledPromotion): boolean {
  return definition.reach.kind === 'automatic' && definition.isActive;
}

function codeOf({ definition: { reach } }: CompiledPromotion): string | undefined {
  return reach.kind === 'public_code' ? reach.code : undefined;
}

/** Of promotions with one code the active one counts, then the one that was made first. */
function byPreference(left: CompiledPromotion, right: CompiledPromotion): number {
  const [one, other] = [left.definition, right.definition];
  return Number(other.isActive) - Number(one.isActive) || one.ref - other.ref;
}
