/** The port for metrics and probes, the same for every role. Nothing here touches a store. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Config } from '../config/config.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { closeServer, listen } from './http-server.ts';

/** What the probes ask of a process. */
export interface OpsStatus {
  /** Whether calls are welcome: rule set loaded, ports open, not draining. A store's fault is answered per call instead. */
  isReady(): boolean;
  /** The state of everything worth knowing in an incident (durability, gate, backlog, versions); no secret. */
  details(): Readonly<Record<string, unknown>>;
}

/** The ops server of a process. */
export class OpsServer {
  readonly #server: Server;
  readonly #config: Config['ops'];
  readonly #metrics: Metrics;
  readonly #status: OpsStatus;

  constructor(config: Config['ops'], metrics: Metrics, status: OpsStatus) {
    this.#config = config;
    this.#metrics = metrics;
    this.#status = status;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => write(response, 500, 'text/plain', 'failed\n'));
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (request.url?.split('?')[0]) {
      case '/metrics':
        return write(
          response,
          200,
          this.#metrics.registry.contentType,
          await this.#metrics.registry.metrics(),
        );
      case '/livez':
        return write(response, 200, 'text/plain', 'ok\n');
      case '/readyz':
        return this.#status.isReady()
          ? write(response, 200, 'text/plain', 'ok\n')
          : write(response, 503, 'text/plain', 'not ready\n');
      case '/healthz/details':
        return write(response, 200, 'application/json', `${JSON.stringify(this.#details())}\n`);
      default:
        return write(response, 404, 'text/plain', 'not found\n');
    }
  }

  #details(): Readonly<Record<string, unknown>> {
    return { ready: this.#status.isReady(), ...this.#status.details() };
  }

  /** Opens the port. Gives the port in use. */
  listen(): Promise<number> {
    return listen(this.#server, this.#config);
  }

  /** Closes it at once; nobody waits for a probe. */
  async close(): Promise<void> {
    const closed = closeServer(this.#server);
    this.#server.closeAllConnections();
    await closed;
  }
}

function write(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body);
}
