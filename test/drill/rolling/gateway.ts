/**
 * The client of a rolling restart, balancing as a gateway does: over gRPC round robin on connections that are told to go elsewhere, over
 * HTTP to whoever says that it is ready. It asks nobody twice by itself; who does is written down.
 */
import { setInterval } from 'node:timers/promises';
import type { DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { ConnectWire, GrpcWire, type Wire, type WireEnd, type Wires } from '../../chaos/load/wire.ts';
import type { ProductProcess } from '../../chaos/topology/product-process.ts';

/** Time between two looks at readiness, ms; a load balancer's is longer, and so is the delay it is given. */
const LOOK_MS = 100;

const HOST = '127.0.0.1';
const ROUND_ROBIN = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] });
const NO_HEADERS = (): Record<string, string> => ({});

/** Who is ready, looked at again and again. */
class Readiness {
  private readonly processes: readonly ProductProcess[];
  private readonly stopping = new AbortController();
  private ready: readonly ProductProcess[];

  constructor(processes: readonly ProductProcess[]) {
    this.processes = processes;
    this.ready = processes;
    void this.watch();
  }

  /** Whether a process said so the last time. */
  has(process: ProductProcess): boolean {
    return this.ready.includes(process);
  }

  stop(): void {
    this.stopping.abort();
  }

  private async watch(): Promise<void> {
    const { signal } = this.stopping;
    try {
      for await (const _ of setInterval(LOOK_MS, undefined, { signal })) {
        const answers = await Promise.all(this.processes.map((process) => process.isReady()));
        this.ready = this.processes.filter((_process, index) => answers[index]);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** Each call to the next process that is ready; to any when none is. */
class ReadyWire implements Wire {
  readonly transport = 'connect';
  readonly address = 'whoever is ready';
  private readonly wires: readonly (readonly [ProductProcess, Wire])[];
  private readonly readiness: Readiness;
  private turn = 0;

  constructor(processes: readonly ProductProcess[]) {
    this.readiness = new Readiness(processes);
    this.wires = processes.map((process) => {
      const address = { host: HOST, grpcPort: process.port('grpc'), httpPort: process.port('http') };
      return [process, new ConnectWire(address, NO_HEADERS)];
    });
  }

  async call<Method extends DescMethodUnary>(
    method: Method,
    request: MessageInitShape<Method['input']>,
    timeoutMs: number,
  ): Promise<WireEnd<MessageShape<Method['output']>>> {
    const ready = this.wires.filter(([process]) => this.readiness.has(process));
    const candidates = ready.length > 0 ? ready : this.wires;
    this.turn += 1;
    const [, wire] = candidates[this.turn % candidates.length] ?? [];
    if (wire === undefined) throw new Error('a gateway needs a process');
    return await wire.call(method, request, timeoutMs);
  }

  close(): void {
    this.readiness.stop();
    for (const [, wire] of this.wires) wire.close();
  }
}

/** One way in over gRPC and one over HTTP, each balanced over all processes. */
export function openGateway(processes: readonly ProductProcess[]): Wires {
  // As a headless Service gives them: several addresses behind one name.
  const target = `ipv4:${processes.map((process) => `${HOST}:${process.port('grpc')}`).join(',')}`;
  const grpc = new GrpcWire(target, NO_HEADERS, { 'grpc.service_config': ROUND_ROBIN });
  const connect = new ReadyWire(processes);
  return {
    grpc: [grpc],
    connect: [connect],
    close() {
      grpc.close();
      connect.close();
    },
  };
}
