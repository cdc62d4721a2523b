/** The coupons of a promotion as they are leased: `claim.lua` compares `issued` with `received` and knows nothing of pools. */
import { PROMOTION_FIELDS, poolFields } from '../record-fields.ts';
import { poolOf, promotionOf, type Step } from '../transaction.ts';
import { type Fields, type LeaseShape, numberIn, type Share, setNumber, unchanged } from './lease-shape.ts';

const { definition, issued, received, granted, back, returned } = PROMOTION_FIELDS;

/** How the coupons of a promotion are leased. */
export function stockLease(promotionRef: number): LeaseShape {
  const record = promotionOf(promotionRef);
  const fields = poolFields('');
  const write = (units: number, unitsBack: number): Step[] => [
    setNumber(record, granted, units),
    setNumber(record, back, unitsBack),
    setNumber(record, received, units - unitsBack),
  ];
  return {
    promotionRef,
    pool: poolOf(promotionRef),
    poolFields: fields,
    record,
    leaseFields: [granted, back, received],
    // A coupon taken back with its stock lowers `issued` and raises `returned`: the two are never what they were before.
    usedFields: [issued, returned],
    fence: [definition],
    limitIn: (pool) => {
      const text = pool.get(fields.limit.name)?.toString('latin1') ?? '';
      return text === '' ? undefined : Number(text);
    },
    shareIn,
    write,
    writeBack: (_, units, unitsBack) => write(units, unitsBack),
    usedAtMost: (units) => ({ kind: 'add', on: record, field: issued.bytes, delta: 0, max: units }),
  };
}

function shareIn(record: Fields): Share {
  const used = numberIn(record, issued);
  const unitsBack = numberIn(record, back);
  const isDefined = record.has(definition.name);
  const isBounded = !isDefined || (record.get(received.name)?.length ?? 0) > 0;
  return {
    granted: Math.max(numberIn(record, granted), used + unitsBack),
    back: unitsBack,
    used,
    isBounded,
    isInForce: isDefined,
  };
}

/**
 * The steps by which a unit that is used no more goes back to the pool, given the promotion's record in its partition. It must
 * not stay there: where the quantity fell below what was issued, it is a unit there is no longer.
 */
export function returnToPool(promotionRef: number, record: Fields): Step[] {
  const { record: on, leaseFields, write } = stockLease(promotionRef);
  const isLimited = (record.get(received.name)?.length ?? 0) > 0;
  const { granted: units } = shareIn(record);
  return [
    ...unchanged(on, leaseFields, record),
    ...(isLimited ? write(units, numberIn(record, back) + 1) : []),
  ];
}
