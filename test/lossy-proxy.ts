/** A TCP proxy on 127.0.0.1 that can swallow what the server answers: the request is carried out, the reply is lost. */

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A running proxy. */
export interface LossyProxy {
  readonly port: number;
  /** From now on, drops the server's next answer and resets both sides; `times` answers in all. */
  loseReplies(times: number): void;
  /** How many answers were lost so far. */
  readonly lost: number;
  close(): Promise<void>;
}

interface LossState {
  left: number;
  lost: number;
}

function join(client: Socket, server: Socket, state: LossState): void {
  const drop = (): void => {
    client.destroy();
    server.destroy();
  };
  client.on('data', (chunk) => server.write(chunk));
  server.on('data', (chunk) => {
    if (state.left === 0) {
      client.write(chunk);
      return;
    }
    state.left -= 1;
    state.lost += 1;
    drop();
  });
  for (const socket of [client, server]) {
    socket.on('error', drop);
    socket.on('close', drop);
  }
}

/** Starts a proxy to a port of this machine. */
export async function startLossyProxy(targetPort: number): Promise<LossyProxy> {
  const state: LossState = { left: 0, lost: 0 };
  const sockets = new Set<Socket>();
  const proxy: Server = createServer((client) => {
    sockets.add(client);
    client.on('close', () => sockets.delete(client));
    join(client, connect(targetPort, '127.0.0.1'), state);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    loseReplies(times) {
      state.left = times;
    },
    get lost() {
      return state.lost;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
