/** One change of the rule set: a promotion as it is from then on. */
export interface RuleSetChange {
  readonly ref: number;
  /** The rule-set version that this change made. */
  readonly ruleSetVersion: number;
  readonly isDeleted: boolean;
  /** hongbao.v1.Promotion in binary form, as stored. */
  readonly body: Uint8Array;
}
