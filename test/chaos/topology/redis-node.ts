/** One redis-server of a run, the proxy in front of it, and a connection that goes around the proxy. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { awaitReady, connectLedger } from '../../../src/ledger/connection.ts';
import { freePort } from '../../../tools/servers/free-port.ts';
import { type RedisServer, startRedisServer } from '../../../tools/servers/redis-server.ts';
import { FaultProxy } from '../proxy/fault-proxy.ts';

const ADMIN = { commandTimeoutMs: 5_000, connectTimeoutMs: 2_000, socketTimeoutMs: 10_000 };
const ADMIN_READY_MS = 10_000;

/** How a node is started. */
export interface RedisNodeOptions {
  readonly name: string;
  /** Its files live below, in a folder of its own. */
  readonly directory: string;
  readonly random: () => number;
  /** Settings that depend on the ports; `proxy` is where the product finds the node. */
  readonly settings?: (ports: {
    readonly own: number;
    readonly proxy: number;
  }) => Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A node that runs, or could run again. */
export class RedisNode {
  readonly name: string;
  /** Where its append-only file and its replication file are. */
  readonly directory: string;
  readonly server: RedisServer;
  readonly proxy: FaultProxy;
  /** Answers while the server does; its calls fail otherwise. */
  readonly admin: Redis;

  private constructor(options: RedisNodeOptions, directory: string, server: RedisServer, proxy: FaultProxy) {
    this.name = options.name;
    this.directory = directory;
    this.server = server;
    this.proxy = proxy;
    this.admin = connectLedger({ ...ADMIN, url: server.url }, 'chaos-admin');
    this.admin.on('error', () => undefined);
  }

  /** Starts server and proxy; resolves once the server accepts connections. */
  static async start(options: RedisNodeOptions): Promise<RedisNode> {
    const directory = join(options.directory, options.name);
    await mkdir(directory, { recursive: true });
    const own = await freePort();
    const proxy = await FaultProxy.start({ targetPort: own, random: options.random });
    const server = await startRedisServer({
      directory,
      port: own,
      settings: {
        'auto-aof-rewrite-percentage': '0',
        'enable-debug-command': 'local',
        ...options.settings?.({ own, proxy: proxy.port }),
      },
      ...(options.environment && { environment: options.environment }),
    });
    const node = new RedisNode(options, directory, server, proxy);
    await node.ready();
    return node;
  }

  /** Address through the proxy. */
  get url(): string {
    return `redis://127.0.0.1:${this.proxy.port}`;
  }

  /** Resolves when the connection around the proxy works. */
  async ready(): Promise<void> {
    if (!(await awaitReady(this.admin, ADMIN_READY_MS))) throw new Error(`${this.name} does not answer`);
  }

  /** Starts it again after its end, by our hand or its own, and resolves when it answers. */
  async restart(): Promise<void> {
    await this.server.restart();
    await this.ready();
  }

  /** Whether it answers now. */
  async answers(): Promise<boolean> {
    return await this.admin.ping().then(
      () => true,
      () => false,
    );
  }

  /** The part of the append-only file that grows. */
  async appendOnlyFile(): Promise<string> {
    const folder = join(this.directory, 'appendonlydir');
    const files = (await readdir(folder)).filter((file) => file.endsWith('.incr.aof')).toSorted();
    const newest = files.at(-1);
    if (newest === undefined) throw new Error(`${this.name} has no append-only file`);
    return join(folder, newest);
  }

  /** Ends server, proxy and connection. */
  async close(): Promise<void> {
    this.admin.disconnect();
    await this.proxy.close();
    await this.server.stop();
  }
}
