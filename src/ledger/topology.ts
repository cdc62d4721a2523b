/**
 * Which server serves a partition now.
 *
 * Connections of the ledger go to one server each and never follow a redirection by themselves, because the driver would
 * send a write again whose reply was lost. Whoever makes a call tells this map when the call failed; the map asks sentinels or
 * cluster nodes, and the caller tries again by its own rules, with the same request id.
 *
 * Every answer carries an epoch and a later epoch wins, so that a server that was cut off cannot win back what it has lost.
 */
import type { Redis } from 'ioredis';
import { awaitReady, connectLedger, type LedgerConnectionSettings } from './connection.ts';
import { partitionSlot } from './keys.ts';
import * as limits from './limits.ts';
import { parseTopologyAddress, type TopologyAddress, type TopologyKind } from './topology-address.ts';
import { askClusterNode, askSentinel, type Placement, type TopologyAnswer } from './topology-look.ts';

/** Opens a connection; the simulation brings its own. */
export type Connect = (settings: LedgerConnectionSettings, name: string) => Redis;

/** Where the ledger's Redis is, and in how many partitions. */
export interface TopologySettings extends LedgerConnectionSettings {
  readonly partitions: number;
}

/** Errors after which somebody else may serve the partition. */
const MOVES = /^(MOVED|ASK|READONLY|CLUSTERDOWN|MASTERDOWN|LOADING|TRYAGAIN)/;
const SERVER_REPLY = /^[A-Z]{3,} /;
const MOVED = /^MOVED (\d+) (\S+):(\d+)/;

/** The map; `start` it, and `close` it. */
export class Topology {
  readonly kind: TopologyKind;
  readonly partitions: number;
  private readonly settings: TopologySettings;
  private readonly address: TopologyAddress;
  private readonly connect: Connect;
  private readonly known: (Placement | undefined)[];
  private readonly asked = new Map<string, Redis>();
  private readonly listeners = new Set<() => void>();
  private nodes: readonly string[] = [];
  private looking: Promise<void> | undefined;
  private lookedAtMs = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;
  private soon: NodeJS.Timeout | undefined;

  /** Throws RangeError when the address is none. */
  constructor(settings: TopologySettings, connect: Connect = connectLedger) {
    this.settings = settings;
    this.connect = connect;
    this.address = parseTopologyAddress(settings.url);
    this.kind = this.address.kind;
    this.partitions = settings.partitions;
    const [url = ''] = this.address.seeds;
    this.known = Array.from({ length: settings.partitions }, (_, partition) =>
      this.kind === 'single' ? { partition, url, epoch: 0 } : undefined,
    );
  }

  /** The address that serves a partition, as far as is known. */
  urlOf(partition: number): string | undefined {
    return this.known[partition]?.url;
  }

  /** Calls `listener` whenever a partition is served by another one; the answer stops that. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Looks for the first time, and from now on every second. With one server there is nothing to look for. */
  async start(): Promise<void> {
    if (this.kind === 'single') return;
    this.timer ??= setInterval(() => void this.look(), limits.TOPOLOGY_LOOK_MS);
    await this.look();
  }

  /** Learns from a call that failed: where the partition went, or that it is time to look. */
  failed(error: unknown): void {
    if (this.kind === 'single') return;
    const message = error instanceof Error ? error.message : String(error);
    const [, slot, host, port] = MOVED.exec(message) ?? [];
    if (host !== undefined) this.learnMove(Number(slot), this.address.nodeUrl(host, Number(port)));
    if (MOVES.test(message) || !SERVER_REPLY.test(message)) this.lookSoon();
  }

  /** Ends all of it. */
  close(): void {
    clearInterval(this.timer);
    clearTimeout(this.soon);
    this.listeners.clear();
    for (const redis of this.asked.values()) redis.disconnect();
    this.asked.clear();
  }

  private learnMove(slot: number, url: string): void {
    const moved = Array.from(this.known.keys()).filter((partition) => partitionSlot(partition) === slot);
    // Ahead of everybody who has not heard of it, behind the new owner's own word.
    const ahead = (partition: number): number => (this.known[partition]?.epoch ?? 0) + 1 / 2;
    this.take(moved.map((partition) => ({ partition, url, epoch: ahead(partition) })));
  }

  private lookSoon(): void {
    const waitMs = this.lookedAtMs + limits.TOPOLOGY_PAUSE_MS - performance.now();
    this.soon ??= setTimeout(() => void this.look(), Math.max(0, waitMs));
  }

  /** Asks everybody at once; never throws. Each answer counts as soon as it is there. */
  private look(): Promise<void> {
    clearTimeout(this.soon);
    this.soon = undefined;
    this.looking ??= this.askAll().finally(() => {
      this.lookedAtMs = performance.now();
      this.looking = undefined;
    });
    return this.looking;
  }

  private async askAll(): Promise<void> {
    const urls = [...new Set([...this.nodes, ...this.address.seeds])].slice(0, limits.TOPOLOGY_NODES_ASKED);
    const answers = await Promise.allSettled(urls.map((url) => this.ask(url)));
    const told = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    for (const [url, redis] of this.asked) {
      if (urls.includes(url)) continue;
      redis.disconnect();
      this.asked.delete(url);
    }
    const nodes = told.flatMap((answer) => answer.nodes);
    if (nodes.length > 0) this.nodes = [...new Set(nodes)];
    // A set-up that was made anew begins its epochs anew; what most of those asked agree on holds then.
    if (2 * told.length > urls.length) this.overrule(told.flatMap(({ placements }) => placements));
  }

  private async ask(url: string): Promise<TopologyAnswer> {
    const redis = this.asked.get(url) ?? this.open(url);
    this.asked.set(url, redis);
    if (!(await awaitReady(redis, limits.TOPOLOGY_ANSWER_MS))) throw new Error('no connection');
    const answer = await (this.kind === 'sentinel' ? askSentinel : askClusterNode)(
      redis,
      this.address,
      this.partitions,
    );
    this.take(answer.placements);
    return answer;
  }

  private open(url: string): Redis {
    const settings = { ...this.settings, url, commandTimeoutMs: limits.TOPOLOGY_ANSWER_MS };
    const redis = this.connect(settings, 'hongbao-topology');
    // A node that is away is what this is about; who serves the partitions is asked of the others.
    redis.on('error', () => undefined);
    return redis;
  }

  private overrule(placements: readonly Placement[]): void {
    const newest = new Map<number, Placement>();
    for (const placement of placements) {
      const { partition, epoch } = placement;
      if (epoch > (newest.get(partition)?.epoch ?? -1)) newest.set(partition, placement);
    }
    const older = [...newest.values()].filter(
      ({ partition, epoch }) => epoch < (this.known[partition]?.epoch ?? 0) - 1,
    );
    for (const { partition } of older) this.known[partition] = undefined;
    this.take(older);
  }

  private take(placements: readonly Placement[]): void {
    let isChanged = false;
    for (const placement of placements) {
      const { partition, url, epoch } = placement;
      const before = this.known[partition];
      if (before !== undefined && epoch < before.epoch) continue;
      isChanged ||= before?.url !== url;
      this.known[partition] = placement;
    }
    if (isChanged) for (const listener of this.listeners) listener();
  }
}
