/** A batch of carts by its items, so that each is evaluated by itself and no item is decoded or encoded twice. */
import { invalidRequest } from '../../domain/invalid-request.ts';
import { type CartRefusal, encodeCartRefusal } from '../../gen/hot/cart-responses.ts';
import { decodeRequest } from '../../wire/decode-request.ts';
import { WireReader } from '../../wire/wire-reader.ts';
import { WireWriter } from '../../wire/wire-writer.ts';

/** Carts of one batch, at most; as the contract says. */
export const MAX_BATCH_ITEMS = 100;

const LENGTH_DELIMITED = 2;
/** BatchEvaluateCartsRequest.items and BatchEvaluateCartsResponse.results. */
const ELEMENTS_FIELD = 1;
const ELEMENTS_TAG = ELEMENTS_FIELD * 8 + LENGTH_DELIMITED;
/** CartResult.decision and CartResult.refusal. */
const DECISION_TAG = 1 * 8 + LENGTH_DELIMITED;
const REFUSAL_TAG = 2 * 8 + LENGTH_DELIMITED;

/**
 * The items of a BatchEvaluateCartsRequest, not decoded yet, as views of it; each is an EvaluateCartRequest. Throws Refusal
 * INVALID_REQUEST when there are none or too many.
 */
export function splitBatch(bytes: Uint8Array): Uint8Array[] {
  const items = decodeRequest(itemsIn, bytes);
  if (items.length >= 1 && items.length <= MAX_BATCH_ITEMS) return items;
  const description =
    items.length === 0
      ? 'must contain at least 1 item(s)'
      : `must contain no more than ${MAX_BATCH_ITEMS} item(s)`;
  throw invalidRequest([{ field: 'items', description }]);
}

function itemsIn(bytes: Uint8Array): Uint8Array[] {
  const reader = new WireReader(bytes);
  const items: Uint8Array[] = [];
  while (reader.position < reader.length) {
    const tag = reader.tag();
    if (tag >>> 3 === ELEMENTS_FIELD) items.push(reader.bytes());
    else reader.skip(tag, 1);
  }
  return items;
}

/** What became of one item: its EvaluateCartResponse as written, or why there is none. */
export type BatchResult =
  | { readonly decision: Uint8Array; readonly refusal?: never }
  | { readonly decision?: never; readonly refusal: CartRefusal };

const writer = new WireWriter();

/** Writes a BatchEvaluateCartsResponse. */
export function joinBatch(results: readonly BatchResult[]): Buffer {
  writer.start();
  for (const { decision, refusal } of results.toReversed()) {
    const before = writer.size;
    writer.bytes(decision ?? encodeCartRefusal(refusal));
    writer.tag(decision === undefined ? REFUSAL_TAG : DECISION_TAG);
    writer.lengthSince(before);
    writer.tag(ELEMENTS_TAG);
  }
  return writer.finish();
}
