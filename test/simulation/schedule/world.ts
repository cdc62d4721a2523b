/** Everything of one run: both stores, the processes on them, the clients, and what goes wrong. */
import type { LedgerAdmin } from '../../../src/ledger/admin.ts';
import { partitionKeys } from '../../../src/ledger/keys.ts';
import type { PostgresSite } from '../archive/archive-link.ts';
import { type ArchiveFault, MemoryArchive } from '../archive/memory-archive.ts';
import { LedgerWatch } from '../invariants/ledger-watch.ts';
import type { ScriptFault } from '../redis/script-context.ts';
import { Random } from '../time/random.ts';
import type { VirtualTime } from '../time/virtual-time.ts';
import { runArchiveProcess } from '../world/archive-process.ts';
import type { ConnectionPlace } from '../world/connection.ts';
import { type CallFault, Link } from '../world/link.ts';
import { NETWORK, RedisSite } from '../world/redis-site.ts';
import { type ProcessFaults, ServingProcess } from '../world/serving-process.ts';
import { refOf, Shop } from '../world/shop.ts';
import type { Fault, Schedule } from './plan.ts';

/** Faults planted into the product by the tests of the simulation. */
export interface PlantedFaults {
  readonly script?: ReadonlySet<ScriptFault>;
  readonly archive?: ReadonlySet<ArchiveFault>;
  readonly process?: ProcessFaults;
  readonly keeper?: (ledger: LedgerAdmin) => void;
  /** Clients ask again under another id. */
  readonly renamesRetries?: boolean;
}

/** Archive processes of every schedule. */
const ARCHIVES = 2;
/** Owner of what clients do. */
export const CLIENTS = 'clients';

interface Running<What> {
  readonly owner: string;
  what: What | undefined;
}

/** See the module's comment. */
export class World {
  readonly time: VirtualTime;
  readonly site: RedisSite;
  readonly postgres: PostgresSite;
  readonly shop: Shop;
  readonly watch: LedgerWatch;
  private readonly schedule: Schedule;
  private readonly planted: PlantedFaults;
  private readonly random: Random;
  private readonly coupons = new Map<string, string[]>();
  private readonly serving: Running<ServingProcess>[] = [];
  private readonly archives: Running<true>[] = [];
  private starts = 0;
  /** What a process threw that is neither an answer nor a refusal. */
  failure: unknown;
  /** Takes such a failure. */
  readonly broke = (error: unknown): void => {
    this.failure ??= error;
  };

  constructor(time: VirtualTime, schedule: Schedule, planted: PlantedFaults) {
    const { settings } = schedule;
    this.time = time;
    this.schedule = schedule;
    this.planted = planted;
    this.random = new Random(schedule.seed + 1);
    this.shop = new Shop(settings, time.nowMs);
    const archive = new MemoryArchive(() => time.nowMs, planted.archive ?? new Set());
    this.postgres = { archive, isUp: true };
    const mostUses = new Map([[refOf('automatic'), settings.automaticUses]]);
    this.watch = new LedgerWatch(() => {
      return { keyspace: this.site.redis.keyspace, archive, mostUses, nowMs: () => time.nowMs };
    });
    archive.onFlush = (fence, batch, epoch, before) => this.watch.flushed(fence, batch, epoch, before);
    const faults = planted.script ?? new Set();
    this.site = new RedisSite(time, this.random, { ...settings, faults }, this.watch);
    this.site.skewMs = settings.skewMs;
  }

  /** Starts all processes and lets the faults loose. */
  begin(): void {
    for (let number = 0; number < ARCHIVES; number += 1) this.startArchive(number, true);
    for (let number = 0; number < this.schedule.settings.serving; number += 1)
      this.startServing(number, true);
    for (const fault of this.schedule.faults)
      if ('atMs' in fault) this.time.schedule(fault.atMs, () => this.inflict(fault), NETWORK);
  }

  /** A process that serves; undefined while it is down. */
  servingAt(number: number): { readonly owner: string; readonly process: ServingProcess } | undefined {
    const running = this.serving[number % this.serving.length];
    return running?.what && { owner: running.owner, process: running.what };
  }

  /** Coupons a user has heard of. */
  couponsOf(user: string): readonly string[] {
    return this.coupons.get(user) ?? [];
  }

  /** A user has heard of a coupon. */
  noteCoupon(user: string, couponId: string): void {
    const known = this.coupons.get(user) ?? [];
    if (!known.includes(couponId)) this.coupons.set(user, [...known, couponId]);
  }

  /** The server does not keep what it acknowledges, and writes are to be refused then. */
  get refusesWrites(): boolean {
    const { appendFsync, durabilityFallback } = this.schedule.settings;
    return appendFsync === 'everysec' && durabilityFallback === 'refuse';
  }

  /** Everything that happened is archived, and the partition is open. */
  isSettled(): boolean {
    const { redis, isUp } = this.site;
    const keys = partitionKeys(0);
    const last = redis.keyspace.stream(keys.stream)?.entries.at(-1)?.seq;
    return (
      isUp &&
      redis.keyspace.field(keys.meta, 'open') === redis.runId &&
      last === this.postgres.archive.cursor.seq
    );
  }

  private place(owner: string, link: Link): ConnectionPlace {
    const { time, site } = this;
    return { time, site, link, owner, isAlive: () => !time.isDead(owner) };
  }

  private startServing(number: number, isFirst: boolean): void {
    const owner = `serve ${number} (${this.starts++})`;
    const running: Running<ServingProcess> = { owner, what: undefined };
    this.serving[number] = running;
    const link = this.link(isFirst, 'serve', number, () => this.crashServing(number, 5));
    const { shop, planted } = this;
    const { settings } = this.schedule;
    const begin = async (): Promise<void> => {
      const faults = planted.process ?? {};
      const process = new ServingProcess({
        place: this.place(owner, link),
        shop,
        settings,
        faults,
      });
      running.what = process;
      await process.start();
      if (isFirst) await process.defineAll(this.time.nowMs + 500).catch(() => undefined);
    };
    this.time.schedule(0, () => void begin(), owner);
  }

  private startArchive(number: number, isFirst: boolean): void {
    const owner = `archive ${number} (${this.starts++})`;
    this.archives[number] = { owner, what: true };
    const die = (): void => this.crashArchive(number, 5);
    const ports = {
      place: this.place(owner, this.link(isFirst, 'archive', number, die)),
      postgres: this.postgres,
      postgresLink: this.link(isFirst, 'postgres', number, die),
      trimMarginMs: this.schedule.settings.trimMarginMs,
      tamper: this.planted.keeper,
    };
    this.time.schedule(number, () => void runArchiveProcess(ports), owner);
  }

  private link(
    isFirst: boolean,
    process: Extract<Fault, { kind: 'call' }>['process'],
    number: number,
    crash: () => void,
  ): Link {
    const isMeant = (fault: Fault): fault is Extract<Fault, { kind: 'call' }> =>
      fault.kind === 'call' && fault.process === process && fault.number === number;
    const faults: CallFault[] = isFirst ? this.schedule.faults.filter(isMeant) : [];
    return new Link(this.random, faults, crash);
  }

  private crashServing(number: number, forMs: number): void {
    const running = this.serving[number];
    if (running === undefined || this.time.isDead(running.owner)) return;
    this.time.kill(running.owner);
    running.what = undefined;
    this.time.schedule(forMs, () => this.startServing(number, false), NETWORK);
  }

  private crashArchive(number: number, forMs: number): void {
    const running = this.archives[number];
    if (running === undefined || this.time.isDead(running.owner)) return;
    this.time.kill(running.owner);
    this.time.schedule(forMs, () => this.startArchive(number, false), NETWORK);
  }

  private startPostgres(): void {
    this.postgres.isUp = true;
  }

  private inflict(fault: Exclude<Fault, { kind: 'call' }>): void {
    const { site, time, postgres } = this;
    switch (fault.kind) {
      case 'crash':
        if (fault.process === 'serve') this.crashServing(fault.number, fault.forMs);
        else this.crashArchive(fault.number, fault.forMs);
        return;
      case 'freeze': {
        const running = fault.process === 'serve' ? this.serving : this.archives;
        time.freeze(running[fault.number]?.owner ?? '', time.nowMs + fault.forMs);
        return;
      }
      case 'restart-redis':
        site.restart(fault.forMs, fault.share);
        return;
      case 'restore-backup':
        site.restoreBackup(fault.forMs, fault.share);
        return;
      case 'promote-replica':
        site.promote(fault.forMs);
        return;
      case 'freeze-replica':
        site.freezeReplica(fault.forMs);
        return;
      case 'freeze-redis':
        site.frozenUntilMs = time.nowMs + fault.forMs;
        return;
      case 'stop-postgres':
        postgres.isUp = false;
        time.schedule(fault.forMs, () => this.startPostgres(), NETWORK);
        return;
      case 'jump-clock':
        site.skewMs += fault.byMs;
        return;
      case 'flush-scripts':
        site.redis.forgetScripts();
    }
  }
}
