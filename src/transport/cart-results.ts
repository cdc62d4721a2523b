/** A BatchEvaluateCartsResponse put together from responses that are in bytes already. */
import { create, toBinary } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Refusal, retryAfterMs } from '../domain/refusal.ts';
import { CartRefusalSchema } from '../gen/hongbao/v1/cart_service_pb.ts';
import { RefusalReason } from '../gen/hongbao/v1/refusal_pb.ts';
import { WireWriter } from '../wire/wire-writer.ts';

/** Tags of hongbao.v1.BatchEvaluateCartsResponse.results and of both outcomes of a hongbao.v1.CartResult. */
const RESULTS_TAG = 0x0a;
const DECISION_TAG = 0x0a;
const REFUSAL_TAG = 0x12;

const writer = new WireWriter();

function refusalBytes(refusal: Refusal): Uint8Array {
  const waitMs = retryAfterMs(refusal) ?? 0;
  return toBinary(
    CartRefusalSchema,
    create(CartRefusalSchema, {
      reason: RefusalReason[refusal.reason],
      message: refusal.message,
      metadata: { ...refusal.detail.metadata },
      ...(waitMs > 0 && { retryAfter: durationFromMs(waitMs) }),
    }),
  );
}

/** The response: a result for each item, in order. */
export function cartResults(results: readonly (Uint8Array | Refusal)[]): Uint8Array {
  writer.start();
  // The writer writes backwards, so the last result comes first.
  for (const result of results.toReversed()) {
    const before = writer.size;
    const isRefused = result instanceof Refusal;
    writer.bytes(isRefused ? refusalBytes(result) : result);
    writer.uint32(isRefused ? REFUSAL_TAG : DECISION_TAG);
    writer.lengthSince(before);
    writer.uint32(RESULTS_TAG);
  }
  return writer.finish();
}
