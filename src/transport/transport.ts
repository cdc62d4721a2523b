/** All servers of a process as one thing that starts and drains: what the composition root puts together. */
import type { DescService } from '@bufbuild/protobuf';
import { createValidator } from '@bufbuild/protovalidate';
import type { Config } from '../config/config.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracer } from '../telemetry/tracing/tracer.ts';
import { Admission } from './admission.ts';
import { type Authenticator, createAuthenticator } from './authentication.ts';
import type { Binding } from './binding.ts';
import { drain } from './drain.ts';
import { GrpcServer } from './grpc-server.ts';
import { HttpServer } from './http-server.ts';
import { Invoker } from './invoke.ts';
import { bindMethods } from './method.ts';
import { OpsServer } from './ops-server.ts';
import { RateLimits } from './rate-limits.ts';
import { createTls, type Tls } from './tls.ts';

/** What the transport needs. */
export interface TransportDependencies {
  readonly config: Pick<
    Config,
    'grpc' | 'http' | 'ops' | 'connections' | 'auth' | 'tls' | 'rates' | 'limits' | 'drain'
  >;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly tracer?: Tracer | undefined;
  /** The services that are served; each of their methods needs a binding and a policy. */
  readonly services: readonly DescService[];
  readonly bindings: readonly Binding[];
  /** Whether what the handlers need is there (the rule set is loaded). Never asks a store. */
  readonly isReady: () => boolean;
  /** Ends streams that would go on for ever; called once, when callers are led elsewhere. */
  readonly endStreams: () => void;
  /** Shown by `/healthz/details`. */
  readonly details: () => Readonly<Record<string, unknown>>;
  /** Local epoch milliseconds; `Date.now` unless a test has its own. */
  readonly clock?: () => number;
}

/** The ports in use. */
export interface Addresses {
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly opsPort: number;
}

/** The servers of one process. */
export interface Transport {
  /** Opens every port. @throws when a port cannot be opened. */
  start(): Promise<Addresses>;
  /** Says "ready" or not in gRPC health, for a change of `isReady`. Readiness over HTTP asks by itself. */
  updateHealth(): void;
  /** Leaves without failing a call; kept when nothing is in flight any more. The ops port stays open until `stop`. */
  drain(): Promise<void>;
  /** Closes everything at once. */
  stop(): Promise<void>;
}

/** Puts the servers together. @throws Error naming methods without handler or policy. */
export function createTransport(dependencies: TransportDependencies): Transport {
  return new Servers(dependencies);
}

class Servers implements Transport {
  readonly #dependencies: TransportDependencies;
  readonly #grpc: GrpcServer;
  readonly #http: HttpServer;
  readonly #ops: OpsServer;
  readonly #authenticator: Authenticator;
  readonly #tls: Tls | undefined;
  readonly #admission: Admission;
  #phase: 'stopped' | 'open' | 'draining' = 'stopped';
  #draining: Promise<void> | undefined;

  constructor(dependencies: TransportDependencies) {
    const { config, metrics, logger, tracer, services, bindings, details } = dependencies;
    const methods = bindMethods(services, bindings, config.limits, metrics);
    this.#authenticator = createAuthenticator(config.auth, metrics, logger);
    this.#tls = createTls({ config: config.tls, logger, metrics });
    this.#admission = new Admission(config.limits, metrics);
    const invoker = new Invoker({
      authenticator: this.#authenticator,
      validator: createValidator(),
      limits: config.limits,
      admission: this.#admission,
      rateLimits: new RateLimits(config.rates, metrics),
      logger,
      tracer,
      clock: dependencies.clock ?? Date.now,
    });
    this.#dependencies = dependencies;
    this.#grpc = new GrpcServer(config, services, methods, invoker, this.#tls);
    this.#http = new HttpServer(config, methods, invoker, this.#tls);
    this.#ops = new OpsServer(config.ops, metrics, { isReady: () => this.#isReady(), details });
  }

  #isReady(): boolean {
    return this.#phase === 'open' && this.#dependencies.isReady();
  }

  async start(): Promise<Addresses> {
    const { config, logger } = this.#dependencies;
    if (config.auth.mode === 'off') {
      logger.warn({ event: LOG_EVENTS.openDoor }, 'Authentication is off: everybody is a developer');
    }
    const [opsPort, grpcPort, httpPort] = [
      await this.#ops.listen(),
      await this.#grpc.listen(),
      await this.#http.listen(),
    ];
    this.#phase = 'open';
    this.updateHealth();
    return { grpcPort, httpPort, opsPort };
  }

  updateHealth(): void {
    this.#grpc.setServing(this.#isReady());
  }

  drain(): Promise<void> {
    this.#draining ??= drain({
      config: this.#dependencies.config.drain,
      logger: this.#dependencies.logger,
      withdraw: () => this.#withdraw(),
      endStreams: this.#dependencies.endStreams,
      servers: [this.#grpc, this.#http],
    });
    return this.#draining;
  }

  #withdraw(): void {
    this.#phase = 'draining';
    this.updateHealth();
    this.#http.shedConnections();
  }

  async stop(): Promise<void> {
    this.#phase = 'stopped';
    this.#authenticator.stop();
    this.#tls?.stop();
    this.#admission.stop();
    const now = 0;
    await Promise.all([this.#grpc.close(now), this.#http.close(now), this.#ops.close()]);
  }
}
