/** The client that changes promotions while others shop: more stock, less stock, off and on again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../faults/random.ts';
import type { Asker } from './asker.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { STAFF_PAUSE_MS } from './limits.ts';
import { createAsk, restockAsk, switchAsk } from './staff-asks.ts';

/** Makes promotions and changes them. */
export class Staff {
  private readonly name: string;
  private readonly asker: Asker;
  private readonly random: Random;
  private readonly catalogue: readonly CatalogueEntry[];
  private readonly off = new Set<string>();
  private requests = 0;

  constructor(name: string, asker: Asker, catalogue: readonly CatalogueEntry[], random: Random) {
    this.name = name;
    this.asker = asker;
    this.catalogue = catalogue;
    this.random = random;
  }

  /** Makes every promotion and switches it on. Throws when one is refused. */
  async open(): Promise<void> {
    for (const { promotionId, promotion } of this.catalogue) {
      const made = await this.asker.ask(createAsk(promotionId, promotion, this.requestId()));
      if (made.kind !== 'ok') throw new Error(`promotion ${promotionId} was not made: ${made.reason}`);
      const on = await this.asker.ask(switchAsk(promotionId, 'activate', this.requestId()));
      if (on.kind !== 'ok') throw new Error(`promotion ${promotionId} is not on: ${on.reason}`);
    }
  }

  /** Makes one change and pauses. */
  async step(): Promise<void> {
    await sleep(this.random.between(...STAFF_PAUSE_MS));
    const entry = this.random.pick(
      this.catalogue.filter(({ restocked, isSwitched }) => restocked || isSwitched),
    );
    if (entry.restocked !== undefined) await this.restock(entry, entry.restocked);
    else await this.flip(entry);
  }

  /** Leaves every promotion on. */
  async close(): Promise<void> {
    for (const promotionId of this.off)
      await this.asker.ask(switchAsk(promotionId, 'activate', this.requestId()));
    this.off.clear();
  }

  private requestId(): string {
    this.requests += 1;
    return `${this.name}.${this.requests}`;
  }

  private async restock(
    { promotionId, promotion }: CatalogueEntry,
    range: { from: number; to: number },
  ): Promise<void> {
    const quantity = BigInt(this.random.between(range.from, range.to));
    await this.asker.ask(restockAsk(promotionId, { ...promotion.stock, quantity }, this.requestId()));
  }

  private async flip({ promotionId }: CatalogueEntry): Promise<void> {
    const isOff = this.off.has(promotionId);
    const end = await this.asker.ask(
      switchAsk(promotionId, isOff ? 'activate' : 'deactivate', this.requestId()),
    );
    if (end.kind === 'refused') return;
    if (isOff) this.off.delete(promotionId);
    else this.off.add(promotionId);
  }
}
