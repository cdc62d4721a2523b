/** A service that answers as told, and time that passes only when somebody waits; for tests. */
import { create, type DescMessage, type Message, type MessageInitShape } from '@bufbuild/protobuf';
import type { Transport } from '@connectrpc/connect';
import { type SteadyOptions, SteadyTransport } from '../../src/client/steady-transport.ts';

/** One attempt as the service saw it. */
export interface Attempt {
  readonly atMs: number;
  readonly timeoutMs: number | undefined;
  readonly headers: Headers;
  readonly request: Message;
}

/** What becomes of an attempt: an error, or an answer in the shape of the method's output. */
export type Scripted = Error | MessageInitShape<DescMessage>;

/** The steady transport over a script; beyond its end the last line counts. */
export class ScriptedTransport {
  readonly attempts: Attempt[] = [];
  readonly steady: SteadyTransport;
  #nowMs = 0;
  #ids = 0;

  constructor(script: readonly Scripted[], options: Partial<SteadyOptions> = {}) {
    this.steady = new SteadyTransport({
      inner: this.#inner(script),
      tokens: undefined,
      headers: () => ({}),
      deadlines: {},
      circumstances: {
        now: () => this.#nowMs,
        sleep: async (ms, signal) => {
          signal?.throwIfAborted();
          this.#nowMs += ms;
        },
        random: () => 0.5,
        newId: () => `id-${++this.#ids}`,
      },
      ...options,
    });
  }

  #inner(script: readonly Scripted[]): Transport {
    return {
      unary: async (method, _signal, timeoutMs, header, input) => {
        const line = script[Math.min(this.attempts.length, script.length - 1)];
        const request = create(method.input, input);
        this.attempts.push({ atMs: this.#nowMs, timeoutMs, headers: new Headers(header), request });
        if (line instanceof Error) throw line;
        const message = create(method.output, line as MessageInitShape<typeof method.output>);
        const [responseHeader, trailer] = [new Headers(), new Headers()];
        return { stream: false, service: method.parent, method, header: responseHeader, trailer, message };
      },
      stream: () => Promise.reject(new Error('No stream is scripted')),
    };
  }
}
