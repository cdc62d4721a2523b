/** What a promotion wants to become of its uses when an order is cancelled or refunded; the version that applied says. */
import { MS_PER_DAY } from '../domain/durations.ts';
import { UseOnCancel } from '../gen/hongbao/v1/availability_pb.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';

/** A return policy; the default gives uses back and leaves expired coupons expired. */
export interface ReturnPolicy {
  /** The use is not given back. */
  readonly staysUsed: boolean;
  /** How long a coupon that expired meanwhile can be used from the return on, in ms; absent: it stays expired. */
  readonly extendByMs?: number;
}

/** Where versions of promotions are looked up. */
export interface PromotionVersions {
  /** One stored version; undefined when there is none. Throws ARCHIVE_UNAVAILABLE when that cannot be known. */
  version(ref: number, version: number, deadlineMs: number): Promise<Promotion | undefined>;
}

/** A version of a promotion. */
export interface VersionName {
  readonly promotionRef: number;
  readonly promotionVersion: number;
}

/** The policy in a promotion. */
export function returnPolicyOf(promotion: Promotion | undefined): ReturnPolicy {
  const policy = promotion?.returnPolicy;
  const days = policy?.extendExpiredDays;
  return {
    staysUsed: policy?.useOnCancel === UseOnCancel.STAYS_USED,
    ...(days !== undefined && { extendByMs: days * MS_PER_DAY }),
  };
}

/** The policies of some versions, by version. */
export class ReturnPolicies {
  private readonly byName: ReadonlyMap<string, ReturnPolicy>;

  constructor(policies: readonly (readonly [VersionName, ReturnPolicy])[]) {
    this.byName = new Map(policies.map(([name, policy]) => [keyOf(name), policy]));
  }

  /** Looks the policies up. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED when a version is not known here. */
  static async read(
    versions: PromotionVersions,
    names: readonly VersionName[],
    deadlineMs: number,
  ): Promise<ReturnPolicies> {
    const read = names.map(async (name) => {
      const promotion = await versions.version(name.promotionRef, name.promotionVersion, deadlineMs);
      return [name, returnPolicyOf(promotion)] as const;
    });
    return new ReturnPolicies(await Promise.all(read));
  }

  /** The policy of a version. */
  of(name: VersionName): ReturnPolicy {
    return this.byName.get(keyOf(name)) ?? returnPolicyOf(undefined);
  }
}

function keyOf({ promotionRef, promotionVersion }: VersionName): string {
  return `${promotionRef}/${promotionVersion}`;
}
