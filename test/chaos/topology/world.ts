/** Everything that runs during a chaos run, and what faults may do to it. */
import type { Sql } from 'postgres';
import type { PostgresServer } from '../../../tools/servers/postgres-server.ts';
import type { FaultProxy } from '../proxy/fault-proxy.ts';
import type { ClockFile } from './clock.ts';
import type { Machine } from './machine.ts';
import type { Environment, ProductProcess } from './product-process.ts';
import type { RedisTopology } from './redis-topology.ts';

/** Postgres, the proxy in front of it, and a connection that goes around the proxy. */
export interface PostgresSide {
  readonly server: PostgresServer;
  readonly proxy: FaultProxy;
  /** Reconnects by itself; its calls fail while the server is down. */
  readonly admin: Sql;
  /** Where the cluster's files are. */
  readonly directory: string;
}

/** A run's processes and stores. */
export interface World {
  readonly machine: Machine;
  readonly redis: RedisTopology;
  readonly postgres: PostgresSide;
  /** The third one runs during rolling restarts only. */
  readonly serves: readonly ProductProcess[];
  readonly archives: readonly ProductProcess[];
  /** How far the clock of each kind of process is ahead of the machine's; absent where clocks cannot be moved. */
  readonly clocks: { readonly redis: ClockFile; readonly product: ClockFile } | undefined;
  /** Variables of every process of the product, for commands that a fault or the end of the run starts. */
  readonly environment: Environment;
  /** The same with addresses that go around the proxies. */
  readonly directEnvironment: Environment;
  /** Aborted when the run is to end early. */
  readonly signal: AbortSignal;
  /** A folder for files of this run. */
  readonly directory: string;
  /** Writes a line for whoever watches. */
  say(line: string): void;
}
