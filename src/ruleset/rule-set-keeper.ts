import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../database/client.ts';
import type { DefinitionLedger } from '../definitions/definition-ledger.ts';
import type { RuleSetChange } from '../domain/rule-set-change.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { ChangeListener, type OpenListener } from './change-listener.ts';
import { loadChanges, loadPromotions, readRuleSetVersion, storedChange } from './load-changes.ts';
import { RuleSet } from './rule-set.ts';
import { RuleSetEntry } from './rule-set-entry.ts';

/** Promotions per statement while loading; a first load of 100,000 takes many, and calls are served in between. */
const PROMOTIONS_PER_LOAD = 1_000;
/** Time for one load, in milliseconds. */
const LOAD_MS = 10_000;

/** Whoever else keeps the rule set, in a form of its own. */
export interface RuleSetFollower {
  /** A whole rule set, oldest change first; it replaces what there was. It is in force there some time later. */
  replaceRules(rules: readonly RuleSetChange[]): unknown;
  /** Changes since, oldest first. */
  takeChanges(changes: readonly RuleSetChange[]): void;
}

/** What a keeper needs. */
export interface KeeperPorts {
  readonly sql: Sql;
  readonly openListener: OpenListener;
  readonly ledger: Pick<DefinitionLedger, 'readDefinitionBodies'>;
  readonly metrics: Pick<Metrics, 'ruleSetVersion' | 'ruleSetAgeSeconds' | 'ruleSetLoadErrors'>;
  readonly logger: Logger;
  /** How often changes are looked for when no notification says so, in milliseconds. */
  readonly pollMs: number;
  readonly nowMs: () => number;
  readonly follower?: RuleSetFollower;
}

/**
 * Holds the rule set in force and replaces it when promotions change: told by a notification, and by looking when none
 * comes. A failed load keeps the last good one. A process that starts while Postgres is down begins with the ledger's copy.
 */
export class RuleSetKeeper {
  private readonly ports: KeeperPorts;
  private readonly listener: ChangeListener;
  private readonly stopping = new AbortController();
  private readonly firstLoad = Promise.withResolvers<void>();
  private ruleSet: RuleSet | undefined;
  private isFromLedger = false;
  private isFailing = false;
  private confirmedAtMs: number;
  private wake = new AbortController();
  private running: Promise<void> | undefined;

  constructor(ports: KeeperPorts) {
    this.ports = ports;
    this.confirmedAtMs = ports.nowMs();
    this.listener = new ChangeListener(ports.openListener, () => this.wake.abort());
    ports.metrics.ruleSetVersion.source = () => this.current.version;
    ports.metrics.ruleSetAgeSeconds.source = () => (ports.nowMs() - this.confirmedAtMs) / 1_000;
  }

  /** The rule set in force; empty before the first load. Take it once per request: the next read may give another. */
  get current(): RuleSet {
    return this.ruleSet ?? RuleSet.empty();
  }

  /** False until promotions have been read from anywhere. */
  get isLoaded(): boolean {
    return this.ruleSet !== undefined;
  }

  /** Begins; resolves at the first load, however long the stores take. */
  async start(): Promise<void> {
    this.running ??= this.run();
    await this.firstLoad.promise;
  }

  /** Ends; the rule set in force stays readable. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake.abort();
    await this.running;
    await this.listener.close();
    this.firstLoad.resolve();
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      // Before the load, so that a change right after it is heard of.
      this.wake = new AbortController();
      await this.listener.ensure(this.ports.nowMs());
      await this.refresh();
      await this.pause();
    }
  }

  private async pause(): Promise<void> {
    const signal = AbortSignal.any([this.wake.signal, this.stopping.signal]);
    await sleep(this.ports.pollMs, undefined, { signal }).catch(() => {});
  }

  private async refresh(): Promise<void> {
    try {
      await this.loadFromDatabase();
      this.report(undefined);
    } catch (error) {
      this.ports.metrics.ruleSetLoadErrors.value += 1;
      this.report(error);
      if (!this.isLoaded) await this.loadFromLedger();
    }
  }

  private async loadFromDatabase(): Promise<void> {
    const { sql, nowMs } = this.ports;
    const isWhole = this.ruleSet === undefined || this.isFromLedger || (await this.isAheadOfDatabase());
    const load = isWhole ? loadPromotions : loadChanges;
    const stored: RuleSetChange[] = [];
    let next = isWhole ? RuleSet.empty() : this.current;
    for (let isMore = true; isMore; ) {
      const changes = await load(sql, next.version, PROMOTIONS_PER_LOAD, nowMs() + LOAD_MS);
      if (changes.entries.length > 0) next = next.with(changes.entries, changes.version);
      for (const change of changes.stored) stored.push(change);
      isMore = changes.isFull;
    }
    this.confirmedAtMs = nowMs();
    if (next !== this.ruleSet) this.swap(next, stored, { isFromLedger: false, isWhole });
  }

  /** A Postgres that was restored to an older state counts its changes from there. */
  private async isAheadOfDatabase(): Promise<boolean> {
    const { sql, nowMs } = this.ports;
    return (await readRuleSetVersion(sql, nowMs() + LOAD_MS)) < this.current.version;
  }

  private async loadFromLedger(): Promise<void> {
    try {
      const bodies = await this.ports.ledger.readDefinitionBodies(this.ports.nowMs() + LOAD_MS);
      const entries = bodies.map(({ body }) => new RuleSetEntry({ body: Buffer.from(body) }));
      const stored = entries.map((entry, index) =>
        storedChange(entry, bodies[index]?.body ?? new Uint8Array(), 0),
      );
      this.swap(RuleSet.empty().with(entries, 0), stored, { isFromLedger: true, isWhole: true });
    } catch (error) {
      this.ports.logger.warn(
        { event: LOG_EVENTS.ruleSetLoadFailed, err: error },
        'neither store has promotions',
      );
    }
  }

  private swap(
    next: RuleSet,
    stored: readonly RuleSetChange[],
    { isFromLedger, isWhole }: { isFromLedger: boolean; isWhole: boolean },
  ): void {
    this.ruleSet = next;
    this.isFromLedger = isFromLedger;
    if (isWhole) this.ports.follower?.replaceRules(stored);
    else this.ports.follower?.takeChanges(stored);
    this.firstLoad.resolve();
    const line = {
      event: LOG_EVENTS.ruleSetLoaded,
      version: next.version,
      promotions: next.size,
      isFromLedger,
    };
    this.ports.logger.debug(line, 'a rule set is in force');
  }

  /** Logs the change from working to failing and back, not every attempt. */
  private report(error: unknown): void {
    const isFailing = error !== undefined;
    if (isFailing === this.isFailing) return;
    this.isFailing = isFailing;
    if (isFailing) {
      this.ports.logger.warn(
        { event: LOG_EVENTS.ruleSetLoadFailed, err: error },
        'the last good rule set stays in force',
      );
    } else {
      this.ports.logger.info(
        { event: LOG_EVENTS.ruleSetLoaded, version: this.current.version },
        'loads work again',
      );
    }
  }
}
