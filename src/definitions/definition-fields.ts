import { clone, create, type DescField, toJson } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { type FieldMask, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Refusal } from '../domain/refusal.ts';
import {
  FinishReason,
  type Promotion,
  PromotionSchema,
  PromotionState,
} from '../gen/hongbao/v1/promotion_pb.ts';
import { conditionTexts } from './condition-text.ts';
import { etagOf } from './etag.ts';

/** Fields the service sets; requests that carry them are not refused, the values are ignored. */
const OUTPUT_ONLY: ReadonlySet<string> = new Set([
  'promotion_id',
  'version',
  'etag',
  'state',
  'finish_reason',
  'ref',
  'issued_count',
  'condition_texts',
  'created_at',
  'updated_at',
]);

const DEFINITION_FIELDS: readonly DescField[] = PromotionSchema.fields.filter(
  (field) => !OUTPUT_ONLY.has(field.name),
);

/** What the service itself knows about a version. */
export interface Stamp {
  readonly ref: number;
  readonly id: string;
  readonly version: number;
  readonly state: PromotionState;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** A definition as it is stored: staff's fields, and the service's own ones set anew. */
export function stamped(definition: Promotion, stamp: Stamp): Promotion {
  const result = withFieldsOf(create(PromotionSchema), definition, DEFINITION_FIELDS);
  result.promotionId = stamp.id;
  result.version = stamp.version;
  result.etag = etagOf(stamp.version);
  result.state = stamp.state;
  result.finishReason =
    stamp.state === PromotionState.FINISHED ? FinishReason.BY_HAND : FinishReason.UNSPECIFIED;
  result.ref = stamp.ref;
  result.conditionTexts = conditionTexts(result);
  result.createdAt = timestampFromMs(stamp.createdAtMs);
  result.updatedAt = timestampFromMs(stamp.updatedAtMs);
  return result;
}

/**
 * The current definition with the changes of a request: the masked top-level fields, or all of them when there is no mask.
 * Throws INVALID_REQUEST naming `update_mask` when it holds another path.
 */
export function merged(current: Promotion, changes: Promotion, mask: FieldMask | undefined): Promotion {
  const paths = mask?.paths ?? [];
  const faults = paths.flatMap((path, index) => maskFault(path, index));
  if (faults.length > 0) {
    throw new Refusal('INVALID_REQUEST', 'the update mask cannot be used', { violations: faults });
  }
  const fields = DEFINITION_FIELDS.filter((field) => paths.length === 0 || paths.includes(field.name));
  return withFieldsOf(clone(PromotionSchema, current), changes, fields);
}

/** The top-level fields in which two definitions differ, by their names in the contract. */
export function changedFields(before: Promotion, after: Promotion): string[] {
  const [left, right] = [fieldTexts(before), fieldTexts(after)];
  return DEFINITION_FIELDS.filter(({ jsonName }) => left.get(jsonName) !== right.get(jsonName)).map(
    ({ name }) => name,
  );
}

function fieldTexts(promotion: Promotion): ReadonlyMap<string, string> {
  const json = toJson(PromotionSchema, promotion);
  if (json === null || typeof json !== 'object') return new Map();
  return new Map(Object.entries(json).map(([name, value]) => [name, JSON.stringify(value)]));
}

function withFieldsOf(target: Promotion, source: Promotion, fields: readonly DescField[]): Promotion {
  const [to, from] = [
    reflect(PromotionSchema, target),
    reflect(PromotionSchema, clone(PromotionSchema, source)),
  ];
  for (const field of fields) {
    to.clear(field);
    if (from.isSet(field)) to.set(field, from.get(field));
  }
  return target;
}

function maskFault(path: string, index: number): { field: string; description: string }[] {
  const field = `update_mask.paths[${index}]`;
  if (OUTPUT_ONLY.has(path)) return [{ field, description: `${path} is set by the service` }];
  if (DEFINITION_FIELDS.some(({ name }) => name === path)) return [];
  return [{ field, description: 'is not a top-level field of Promotion' }];
}
