/** Connect over HTTP by `fetch`: browsers, edge runtimes, and Node where there is no way for gRPC. */
import { Code, ConnectError } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import type { ClosableTransport } from './client.ts';

/** Where the service is, and how to speak. */
export interface ConnectOptions {
  /** `https://coupons.example.com`, with a path where a proxy adds one. */
  readonly baseUrl: string;
  /** JSON instead of binary: readable in the tools of a browser, slower. */
  readonly json?: boolean;
  /** Another `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
}

/** Unary methods only: the streams of the contract are on the gRPC port. */
export function connectTransport({ baseUrl, json = false, fetch }: ConnectOptions): ClosableTransport {
  const inner = createConnectTransport({
    baseUrl,
    useBinaryFormat: !json,
    fetch: async (...request) => {
      try {
        return await (fetch ?? globalThis.fetch)(...request);
      } catch (error) {
        throw unreachable(error);
      }
    },
  });
  return { unary: inner.unary.bind(inner), stream: inner.stream.bind(inner), close: () => {} };
}

/** `fetch` calls every fault of the network a TypeError; to the contract it is an outcome that nobody knows. */
function unreachable(error: unknown): unknown {
  if (!(error instanceof TypeError)) return error;
  return new ConnectError('The service cannot be reached', Code.Unavailable, undefined, undefined, error);
}
