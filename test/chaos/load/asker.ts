/** Makes calls and writes every attempt down; asks again while the outcome is unknown, twice at once, and long after. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../faults/random.ts';
import type { HistoryRecord, HistorySink, Invoke } from '../history/history.ts';
import type { Ask, AskEnd } from './ask.ts';
import { type ClaimOrder, claimAsk, sendBatch } from './coupon-asks.ts';
import {
  CONNECT_PROBABILITY,
  KEPT_FOR_REPEATS,
  RETRIES,
  RETRY_PAUSE_MS,
  SETTLE_PAUSE_MS,
  STAFF_TIMEOUT_MS,
  TWIN_PROBABILITY,
} from './limits.ts';
import type { Wire, Wires } from './wire.ts';

/** What all clients of a load share. */
export interface AskerPorts {
  readonly wires: Pick<Wires, 'grpc' | 'connect'>;
  readonly history: HistorySink;
  /** Numbers of attempts; unique in a history. */
  readonly nextId: () => number;
  /** False once no new calls shall begin. */
  readonly isOn: () => boolean;
  /** What a call may take before its outcome is unknown, ms; staff's changes have a time of their own. */
  readonly callTimeoutMs: number;
  /** Waits until another attempt may be sent: the rate of the load. */
  readonly turn: () => Promise<void>;
}

type Repeat = Invoke['repeat'];

/** One client. Calls of one client follow each other, but for those it makes twice on purpose. */
export class Asker {
  private readonly client: string;
  private readonly ports: AskerPorts;
  private readonly random: Random;
  /** Calls whose outcome is unknown, and calls worth repeating. */
  private readonly unsettled = new Map<string, Ask>();
  private readonly past: Ask[] = [];

  constructor(client: string, ports: AskerPorts, random: Random) {
    this.client = client;
    this.ports = ports;
    this.random = random;
  }

  /** Makes a call until its outcome is known or the patience is over; sometimes twice at once. */
  async ask(ask: Ask): Promise<AskEnd> {
    if (!this.random.chance(TWIN_PROBABILITY)) return await this.persist(ask);
    const [end] = await Promise.all([this.persist(ask), this.attempt(ask, 'duplicate')]);
    return end;
  }

  /** Repeats an earlier call as it was; undefined when there is none. */
  async repeatLate(): Promise<AskEnd | undefined> {
    const ask = this.past.length === 0 ? undefined : this.random.pick(this.past);
    return ask && (await this.attempt(ask, 'late'));
  }

  /** Claims many at once; what stays unknown is asked again item by item. */
  async batch(items: readonly ClaimOrder[]): Promise<AskEnd[]> {
    await this.ports.turn();
    const wire = this.wire();
    const asks = items.map(claimAsk);
    const batch = this.ports.nextId();
    const invokes = asks.map((ask) => this.begin(ask, wire, undefined, batch));
    const ends = await sendBatch(wire, items, this.ports.callTimeoutMs);
    for (const [index, invoke] of invokes.entries()) {
      const [ask, end] = [asks[index], ends[index]];
      if (ask !== undefined && end !== undefined) this.end(ask, invoke, end);
    }
    return ends;
  }

  /** Asks again for everything unknown until the deadline; answers with how many stay unknown. */
  async settle(deadlineMs: number): Promise<number> {
    for (const ask of [...this.unsettled.values()]) {
      while (Date.now() < deadlineMs && (await this.attempt(ask, 'settle')).kind === 'unknown')
        await sleep(SETTLE_PAUSE_MS);
    }
    return this.unsettled.size;
  }

  private async persist(ask: Ask): Promise<AskEnd> {
    let end = await this.attempt(ask, undefined);
    for (let retry = 0; retry < RETRIES && end.kind === 'unknown' && this.ports.isOn(); retry += 1) {
      await sleep(this.random.between(...RETRY_PAUSE_MS));
      end = await this.attempt(ask, 'retry');
    }
    return end;
  }

  private async attempt(ask: Ask, repeat: Repeat): Promise<AskEnd> {
    await this.ports.turn();
    const wire = this.wire();
    const invoke = this.begin(ask, wire, repeat);
    const end = await ask.send(wire, invoke.timeoutMs);
    this.end(ask, invoke, end);
    return end;
  }

  private wire(): Wire {
    const { grpc, connect } = this.ports.wires;
    return this.random.pick(this.random.chance(CONNECT_PROBABILITY) ? connect : grpc);
  }

  private begin(ask: Ask, wire: Wire, repeat: Repeat, batch?: number): Invoke {
    const { operation, requestId } = ask;
    const invoke: Invoke = {
      ...{
        kind: 'invoke',
        at: Date.now(),
        id: this.ports.nextId(),
        client: this.client,
        operation,
        requestId,
      },
      arguments: ask.arguments,
      ...{ transport: wire.transport, address: wire.address },
      timeoutMs: operation === 'define' ? STAFF_TIMEOUT_MS : this.ports.callTimeoutMs,
      ...(batch !== undefined && { batch }),
      ...(repeat !== undefined && { repeat }),
    };
    this.ports.history.append(invoke);
    return invoke;
  }

  private end(ask: Ask, { id }: Invoke, end: AskEnd): void {
    const { operation, requestId } = ask;
    const record: HistoryRecord = { at: Date.now(), id, client: this.client, operation, requestId, ...end };
    this.ports.history.append(record);
    this.remember(ask, end);
  }

  private remember(ask: Ask, end: AskEnd): void {
    const name = `${ask.operation} ${ask.arguments.userId ?? ''} ${ask.requestId}`;
    // A refused attempt says nothing of an earlier one that is unknown, but a later answer of the same request does.
    if (end.kind === 'unknown') this.unsettled.set(name, ask);
    else this.unsettled.delete(name);
    if (end.kind !== 'ok') return;
    if (this.past.length < KEPT_FOR_REPEATS) this.past.push(ask);
    else this.past[this.random.between(0, KEPT_FOR_REPEATS - 1)] = ask;
  }
}
