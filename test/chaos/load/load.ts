/** The load of a chaos run: seeded clients over real connections, everything they do written down. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../faults/random.ts';
import type { HistorySink } from '../history/history.ts';
import { Asker, type AskerPorts } from './asker.ts';
import { type CatalogueEntry, catalogueOf, codesOf, importCodes } from './catalogue.ts';
import { CALL_TIMEOUT_MS } from './limits.ts';
import { Shop } from './shop.ts';
import { Shopper } from './shopper.ts';
import { Staff } from './staff.ts';
import { type HeadersOf, openWires, type ServiceAddress, type Wires } from './wire.ts';

/** A load. */
export interface LoadOptions {
  readonly seed: number;
  readonly services: readonly ServiceAddress[];
  readonly history: HistorySink;
  /** Clients at work at once. */
  readonly clients?: number;
  /** Attempts per second of all clients together, at most; a batch is one. */
  readonly ratePerSecond?: number;
  /** What a call may take before its outcome is unknown, ms. */
  readonly callTimeoutMs?: number;
  /** Users all clients share: few enough that they meet. */
  readonly users?: number;
  /** Keeps the names of several loads on the same stores apart. */
  readonly prefix?: string;
  /** Tokens; none by default. */
  readonly headersOf?: HeadersOf;
  /** Ways into the services; by default one of each kind into each service. Closed with the load. */
  readonly wires?: Wires;
}

/** A load under way. */
export interface Load {
  /** Promotions it works with. */
  readonly catalogue: readonly CatalogueEntry[];
  /** Attempts so far. */
  readonly attempts: () => number;
  /** Begins no new calls; resolves when those under way have ended. */
  stop(): Promise<void>;
  /** After `stop`, with every fault healed: asks again for what is unknown. Answers with how many calls stay so. */
  settle(deadlineMs: number): Promise<number>;
  /** Ends the connections. */
  close(): void;
}

const DEFAULTS = {
  clients: 12,
  ratePerSecond: 250,
  callTimeoutMs: CALL_TIMEOUT_MS,
  users: 60,
  prefix: 'c',
};
const CODES = 250;
const SECOND_MS = 1_000;

/** Lets so many through per second; who comes while the time is used up waits for the next free moment. */
function pacer(ratePerSecond: number): () => Promise<void> {
  let freeAtMs = 0;
  return async () => {
    const nowMs = performance.now();
    freeAtMs = Math.max(freeAtMs, nowMs) + SECOND_MS / ratePerSecond;
    await sleep(freeAtMs - nowMs);
  };
}

/** Makes the promotions and begins to shop. Throws when the promotions cannot be made; no fault may be on yet. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const { seed, services, history, headersOf = () => ({}) } = options;
  const { clients, ratePerSecond, callTimeoutMs, users, prefix } = { ...DEFAULTS, ...options };
  const { wires = openWires(services, headersOf) } = options;
  const random = createRandom(seed, 'load');
  const state = { isOn: true, id: 0 };
  const ports: AskerPorts = {
    wires,
    history,
    nextId: () => (state.id += 1),
    isOn: () => state.isOn,
    callTimeoutMs,
    turn: pacer(ratePerSecond),
  };
  const catalogue = catalogueOf(prefix);
  const staffAsker = new Asker(`${prefix}-staff`, ports, random.fork('staff-asker'));
  const staff = new Staff(`${prefix}-staff`, staffAsker, catalogue, random.fork('staff'));
  const codes = codesOf(prefix, CODES);
  await staff.open();
  await bringCodes(wires.connect, catalogue, codes);
  const names = Array.from({ length: users }, (_, index) => `${prefix}-u${index}`);
  const shop = new Shop(names, catalogue, codes);
  const askers = [staffAsker];
  const running = [run(state, () => staff.step())];
  for (let index = 0; index < clients; index += 1) {
    const name = `${prefix}${index}`;
    const asker = new Asker(name, ports, random.fork(`${name}-asker`));
    const shopper = new Shopper(name, asker, shop, random.fork(name));
    askers.push(asker);
    running.push(run(state, () => shopper.step()));
  }
  return {
    catalogue,
    attempts: () => state.id,
    async stop() {
      state.isOn = false;
      await Promise.all(running);
    },
    async settle(deadlineMs) {
      await staff.close();
      const left = await Promise.all(askers.map((asker) => asker.settle(deadlineMs)));
      return left.reduce((sum, count) => sum + count, 0);
    },
    close: () => wires.close(),
  };
}

async function run(state: { readonly isOn: boolean }, step: () => Promise<void>): Promise<void> {
  while (state.isOn) await step();
}

async function bringCodes(
  [wire]: Wires['connect'],
  catalogue: readonly CatalogueEntry[],
  codes: readonly string[],
): Promise<void> {
  const coded = catalogue.find(({ way }) => way === 'code');
  if (wire !== undefined && coded !== undefined) await importCodes(wire, coded.promotionId, codes);
}
