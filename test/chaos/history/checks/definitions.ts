/** The definitions the ledger was given, as events tell them; other checks look limits up here. */
import { fromBinary } from '@bufbuild/protobuf';
import { type Promotion, PromotionSchema } from '../../../../src/gen/hongbao/v1/promotion_pb.ts';
import type { Observer, SeenEvent } from '../state/replay.ts';
import type { Findings } from '../violation.ts';

/** What staff allow of a promotion; absent = unlimited. Money in minor units. */
export interface Allowed {
  readonly version: number;
  readonly quantity: number | undefined;
  readonly perUser: number | undefined;
  readonly usesTotal: number | undefined;
  readonly usesPerUser: number | undefined;
  readonly budgetMinor: number | undefined;
}

const BODY_FIELD = 'body';
const DEFAULT_PER_USER = 1;

function numberOf(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

function allowedBy({ version, stock, limits }: Promotion): Allowed {
  const perUser = stock?.unlimitedPerUser ? undefined : (stock?.perUserLimit ?? DEFAULT_PER_USER);
  return {
    version,
    quantity: numberOf(stock?.quantity),
    perUser,
    usesTotal: numberOf(limits?.usesTotal),
    usesPerUser: numberOf(limits?.usesPerUser),
    budgetMinor: numberOf(limits?.budget?.amountMinor),
  };
}

/** Larger of two bounds, where absent means without bound. */
function loosest(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined || right === undefined ? undefined : Math.max(left, right);
}

/** Follows definitions, and holds versions to going up. */
export class Definitions implements Observer {
  private readonly findings: Findings;
  /** By partition and ref. */
  private readonly current = new Map<string, Allowed>();
  /** By ref: the loosest of each bound that was ever in force anywhere. */
  private readonly loosestOf = new Map<string, Allowed>();
  private readonly refs = new Map<string, string>();

  constructor(findings: Findings) {
    this.findings = findings;
  }

  /** What is in force in a partition; undefined when it was told of no such promotion. */
  inForce(partition: number, ref: string): Allowed | undefined {
    return this.current.get(`${partition}/${ref}`);
  }

  /** The loosest bounds there ever were; processes may still know an earlier version for a moment. */
  everInForce(ref: string): Allowed | undefined {
    return this.loosestOf.get(ref);
  }

  /** The ref of a promotion by its public id. */
  refOf(promotionId: string): string | undefined {
    return this.refs.get(promotionId);
  }

  see({ place, writes }: SeenEvent): void {
    for (const { target, id, fields } of writes) {
      const body = target === 'promotion' ? fields.find(({ name }) => name === BODY_FIELD)?.value : undefined;
      if (body !== undefined)
        this.define(place, id, fromBinary(PromotionSchema, Buffer.from(body, 'latin1')));
    }
  }

  private define(place: SeenEvent['place'], ref: string, promotion: Promotion): void {
    const key = `${place.partition}/${ref}`;
    const [before, after] = [this.current.get(key), allowedBy(promotion)];
    this.findings.count('definitions');
    if (before !== undefined && after.version <= before.version) {
      const text = `promotion ${ref} goes from version ${before.version} to ${after.version}`;
      this.findings.breach('I12', 'definition-undone', text, { places: [place] });
    }
    this.refs.set(promotion.promotionId, ref);
    this.current.set(key, after);
    const ever = this.loosestOf.get(ref) ?? after;
    this.loosestOf.set(ref, {
      version: after.version,
      quantity: loosest(ever.quantity, after.quantity),
      perUser: loosest(ever.perUser, after.perUser),
      usesTotal: loosest(ever.usesTotal, after.usesTotal),
      usesPerUser: loosest(ever.usesPerUser, after.usesPerUser),
      budgetMinor: loosest(ever.budgetMinor, after.budgetMinor),
    });
  }
}
