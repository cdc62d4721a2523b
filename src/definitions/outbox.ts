import { BackgroundLoop } from '../database/background-loop.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import type { Gauge } from '../telemetry/metric.ts';
import type { DefinitionPorts } from './definition-ports.ts';
import { deliver } from './deliver.ts';
import { countUndelivered, takeUndelivered } from './store/deliveries.ts';

/** How often undelivered changes are looked for, in milliseconds: with the lease it keeps recovery under a second. */
const TICK_MS = 200;
/** One delivery may take this long, in milliseconds. */
const DELIVERY_MS = 1_000;
/** Deliveries per look; more follow at once while there are any. */
const BATCH = 50;

/** What the runner needs beside the stores. */
export interface OutboxPorts extends Pick<DefinitionPorts, 'sql' | 'ledger'> {
  readonly logger: Logger;
  /** Changes waiting, for the metrics. */
  readonly pending: Gauge;
  readonly nowMs: () => number;
}

/**
 * Finishes what writes could not: brings stored changes to the ledger once it answers. Runs in every serving process;
 * rows are leased, so processes share the work, and a delivery that happens twice does nothing.
 */
export class Outbox {
  private readonly ports: OutboxPorts;
  private readonly loop = new BackgroundLoop(() => this.look(), TICK_MS);
  private isFailing = false;

  constructor(ports: OutboxPorts) {
    this.ports = ports;
  }

  /** Begins to look; returns at once. */
  start(): void {
    this.loop.start();
  }

  /** Ends after the look under way. */
  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** One look; true when it was full and all of it was delivered, so that more may wait. */
  private async look(): Promise<boolean> {
    const { sql, nowMs, pending } = this.ports;
    try {
      const undelivered = await takeUndelivered(sql, BATCH, nowMs() + DELIVERY_MS);
      const deliveries = undelivered.map((stored) => deliver(this.ports, stored, nowMs() + DELIVERY_MS));
      // One promotion the ledger refuses must not hold up the others.
      const failed = (await Promise.allSettled(deliveries)).find(({ status }) => status === 'rejected');
      pending.value = await countUndelivered(sql, nowMs() + DELIVERY_MS);
      this.report(failed?.status === 'rejected' ? failed.reason : undefined);
      return undelivered.length === BATCH && failed === undefined;
    } catch (error) {
      this.report(error);
      return false;
    }
  }

  /** Logs the change from working to failing and back, not every attempt. */
  private report(error: unknown): void {
    const isFailing = error !== undefined;
    if (isFailing === this.isFailing) return;
    this.isFailing = isFailing;
    const event = LOG_EVENTS.definitionOutbox;
    if (isFailing) this.ports.logger.warn({ event, err: error }, 'changes of promotions wait for the ledger');
    else this.ports.logger.info({ event }, 'changes of promotions reach the ledger again');
  }
}
