/** A call to be made, however often: what is recorded of it, how it is sent, and what its answer promises. */
import { createHash } from 'node:crypto';
import type { DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { Answer, Arguments, Operation } from '../history/history.ts';
import type { Wire, WireEnd } from './wire.ts';

/** What an answer says: the whole of it for the record, and what every answer to this request must repeat. */
export interface Reading {
  readonly answer: Answer;
  readonly digest: string;
}

/** How one attempt ended. */
export type AskEnd =
  | ({ readonly kind: 'ok' } & Reading)
  | { readonly kind: 'refused' | 'unknown'; readonly reason: string; readonly code: string };

/** A call with its request id. */
export interface Ask {
  readonly operation: Operation;
  readonly requestId: string;
  readonly arguments: Arguments;
  /** One attempt on a wire; never throws. */
  send(wire: Wire, timeoutMs: number): Promise<AskEnd>;
}

const DIGEST_LENGTH = 16;

/** A short digest of what must stay the same. */
export function digestOf(stable: unknown): string {
  return createHash('sha256').update(JSON.stringify(stable)).digest('hex').slice(0, DIGEST_LENGTH);
}

/** A call of a unary method. `read` tells the answer and, in `stable`, what must be the same every time. */
export function askOf<Method extends DescMethodUnary>(
  head: Pick<Ask, 'operation' | 'requestId' | 'arguments'>,
  method: Method,
  request: MessageInitShape<Method['input']>,
  read: (message: MessageShape<Method['output']>) => { readonly answer: Answer; readonly stable: unknown },
): Ask {
  return {
    ...head,
    async send(wire, timeoutMs) {
      const end: WireEnd<MessageShape<Method['output']>> = await wire.call(method, request, timeoutMs);
      if (end.kind !== 'ok') return end;
      const { answer, stable } = read(end.message);
      return { kind: 'ok', answer, digest: digestOf(stable) };
    },
  };
}
