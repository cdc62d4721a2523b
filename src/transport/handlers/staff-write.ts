import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { create, type DescMethodUnary, toBinary } from '@bufbuild/protobuf';
import type { WriteContext } from '../../definitions/definition-ports.ts';
import { type Binding, decodeMessage, type UnaryHandler } from '../binding.ts';
import type { CallContext } from '../call-context.ts';

/** Who writes and by when, from the circumstances of the call. */
export function writeContext({ identity, nowMs, deadlineMs }: CallContext): WriteContext {
  return { actor: identity.actor, nowMs, deadlineMs };
}

/**
 * Binds CreatePromotion and UpdatePromotion, whose handlers check their requests themselves: a definition is checked as it
 * would be after the change, and everything wrong with it is listed in one refusal. The usual check of annotations
 * beforehand would refuse a partial update, and hide the contradictions behind the first faults.
 */
export function selfChecked<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  handler: UnaryHandler<I, O>,
): Binding {
  const handle = async (bytes: Uint8Array, context: CallContext): Promise<Uint8Array> => {
    const response: MessageInitShape<O> = await handler(decodeMessage(method.input, bytes), context);
    return toBinary(method.output, create(method.output, response));
  };
  return { kind: 'unary', method, handle };
}
