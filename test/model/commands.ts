/** The commands of a sequence: one operation, several at once, or a move of the clock; each compares what it sees with the model. */
import { deepStrictEqual } from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { type Intent, intents, resolve } from './intents.ts';
import { carryOut } from './model.ts';
import { automaticOff, type Decided, moveClock } from './model-orders.ts';
import type { ModelState } from './model-state.ts';
import type { Answer, HoldOperation, LapseOperation, Operation, Order } from './operations.ts';
import type { Sequence } from './sequence.ts';
import type { SharedClock } from './shared-clock.ts';
import { modelView, realView } from './state-view.ts';

/** The model of a sequence under way. */
export interface Modelled {
  state: ModelState;
  readonly history: Operation[];
  /** Moves of the clock so far. */
  place: number;
  /** How often each kind of operation ended each way: `hold done`, `hold again`, `hold SOLD_OUT`. */
  readonly endings: Map<string, number>;
}

/** The real side. */
export interface Real {
  readonly sequence: Sequence;
  readonly clock: SharedClock;
}

type ModelCommand = fc.AsyncCommand<Modelled, Real>;

class Act implements ModelCommand {
  private readonly all: readonly Intent[];
  private done = '';

  constructor(all: readonly Intent[]) {
    this.all = all;
  }

  check(): boolean {
    return true;
  }

  async run(model: Modelled, { sequence }: Real): Promise<void> {
    const operations = this.all.flatMap((intent) => resolve(intent, model) ?? []);
    this.done = operations.map((operation) => JSON.stringify(operation)).join(' with ');
    const answers = await Promise.all(operations.map((operation) => sequence.perform(operation)));
    await settle(model, sequence, operations, answers);
    model.history.push(...operations);
    note(model, operations, answers);
  }

  toString(): string {
    return this.done === '' ? `not run: ${JSON.stringify(this.all)}` : this.done;
  }
}

function note({ endings }: Modelled, operations: readonly Operation[], answers: readonly Answer[]): void {
  for (const [place, { kind }] of operations.entries()) {
    const { refused, replayed, lapsed } = answers[place] ?? {};
    const isIdle = replayed === true || lapsed === false;
    const ending = `${kind} ${refused ?? (isIdle ? 'again' : 'done')}`;
    endings.set(ending, (endings.get(ending) ?? 0) + 1);
  }
}

class MoveOn implements ModelCommand {
  check(): boolean {
    return true;
  }

  async run(model: Modelled, real: Real): Promise<void> {
    await compareStates(model.state, real.sequence);
    await moveOn(model, real);
  }

  toString(): string {
    return 'move the clock';
  }
}

/** Moves the clock with everybody else; false when it moves no more. */
export async function moveOn(model: Modelled, { sequence, clock }: Real): Promise<boolean> {
  const move = await clock.arrive(model.place);
  if (move === undefined) return false;
  model.place += 1;
  moveClock(model.state, sequence.world.nowMs, move.isSwept);
  return true;
}

/** Compares what is left behind. */
export async function compareStates(state: ModelState, sequence: Sequence): Promise<void> {
  deepStrictEqual(await realView(sequence), modelView(state), 'another state than the model says');
}

interface Way {
  readonly state: ModelState;
  readonly answers: readonly Answer[];
}

/** What happens in one order. */
function inOrder(
  state: ModelState,
  operations: readonly Operation[],
  order: readonly number[],
  decided: readonly Decided[] = [],
): Way {
  const copy = structuredClone(state);
  const answers: Answer[] = [];
  for (const place of order) {
    const operation = operations[place];
    if (operation !== undefined) answers[place] = carryOut(copy, operation, decided[place]);
  }
  return { state: copy, answers };
}

/** What orders among the operations may have decided before any of them happened: each by itself, promotion by promotion. */
function decisions(state: ModelState, operations: readonly Operation[]): Decided[][] {
  return operations.reduce<Decided[][]>(
    (soFar, operation) => {
      const own = operation.kind === 'hold' ? decisionsOf(state, operation) : [{}];
      return soFar.flatMap((before) => own.map((decided) => [...before, decided]));
    },
    [[]],
  );
}

function decisionsOf(state: ModelState, { user }: HoldOperation): Decided[] {
  const offs = (name: 'auto' | 'budget'): Decided[] => {
    const offMinor = automaticOff(state, state.users[user], name);
    return [{}, { [name]: null }, ...(offMinor === undefined ? [] : [{ [name]: offMinor }])];
  };
  return offs('auto').flatMap((auto) => offs('budget').map((budget) => ({ ...auto, ...budget })));
}

/**
 * What may have happened: one after the other, in some order. An order first lets reservations lapse that are past their time
 * and stand in its way, so others may come in between; and it decides on automatic promotions a moment before it happens.
 */
function* possibleWays(state: ModelState, operations: readonly Operation[]): Generator<Way[]> {
  const orders = permutations(operations.length);
  yield orders.map((order) => inOrder(state, operations, order));
  if (operations.length < 2) return;
  const lapses = lapsesFor(state, operations);
  const all = [...operations, ...lapses];
  yield permutations(all.length).map((order) => {
    const way = inOrder(state, all, order);
    return { ...way, answers: way.answers.slice(0, operations.length) };
  });
  const lapsed = structuredClone(state);
  for (const lapse of lapses) carryOut(lapsed, lapse);
  for (const decided of decisions(state, operations)) {
    yield orders.map((order) => inOrder(state, operations, order, decided));
    yield orders.map((order) => inOrder(lapsed, operations, order, decided));
  }
}

/** Three lapses and three operations have 720 orders; more would take too long to go through. */
const MOST_LAPSES = 3;

/** The reservations past their time that these holds let lapse before they happen. */
function lapsesFor(state: ModelState, operations: readonly Operation[]): LapseOperation[] {
  const lapses = operations.flatMap((operation) => {
    if (operation.kind !== 'hold') return [];
    const { user, order, couponIds } = operation;
    const { coupons, orders } = state.users[user];
    const asked = coupons.filter(({ couponId }) => couponIds.includes(couponId));
    const inTheWay = [order, ...asked.flatMap(({ holder }) => holder ?? [])];
    const isOverdue = (one: Order): boolean => {
      const { head } = orders[one];
      return head?.state === 'reserved' && state.nowMs > head.dueAtMs;
    };
    return inTheWay.filter(isOverdue).map((one) => ({ kind: 'lapse', user, order: one }) as const);
  });
  const unique = new Map(lapses.map((lapse) => [`${lapse.user} ${lapse.order}`, lapse]));
  return [...unique.values()].slice(0, MOST_LAPSES);
}

/** What happened at once must be what could have happened one after the other. */
async function settle(
  model: Modelled,
  sequence: Sequence,
  operations: readonly Operation[],
  answers: readonly Answer[],
): Promise<void> {
  const fitting = fittingWays(model.state, operations, answers);
  const [first] = fitting;
  if (first === undefined) {
    const expected = inOrder(model.state, operations, [...operations.keys()]).answers;
    deepStrictEqual(answers, expected, otherAnswers(operations, answers));
    return;
  }
  const isSure = fitting.every(({ state }) => isDeepStrictEqual(state, first.state));
  const real = isSure ? undefined : await realView(sequence);
  const way = isSure ? first : fitting.find(({ state }) => isDeepStrictEqual(modelView(state), real));
  model.state = (way ?? first).state;
}

/** The likeliest of the ways that explain the answers. */
function fittingWays(
  state: ModelState,
  operations: readonly Operation[],
  answers: readonly Answer[],
): readonly Way[] {
  for (const ways of possibleWays(state, operations)) {
    const fitting = ways.filter((way) => isDeepStrictEqual(way.answers, answers));
    if (fitting.length > 0) return fitting;
  }
  return [];
}

function otherAnswers(operations: readonly Operation[], answers: readonly Answer[]): string {
  const told = operations.map((operation, place) => [operation, answers[place]]);
  return `another answer than the model says, in any order: ${JSON.stringify(told)}`;
}

function permutations(count: number): number[][] {
  if (count === 0) return [[]];
  return permutations(count - 1).flatMap((rest) =>
    Array.from({ length: count }, (_, at) => [...rest.slice(0, at), count - 1, ...rest.slice(at)]),
  );
}

const one = (kind: Intent['kind']) => intents(kind).map((intent): ModelCommand => new Act([intent]));

/** What races for the same things. */
const CONTENDERS = [
  'hold',
  'hold',
  'commit',
  'release',
  'lapse',
  'exchange',
  'revoke',
  'claim',
  'return',
  'refund',
  'earn',
  'reverse',
  'award',
  'hide',
  'grant',
] as const;

const atOnce = fc
  .tuple(
    intents('hold'),
    fc.array(fc.oneof(...CONTENDERS.map(intents)), { minLength: 1, maxLength: 2 }),
    fc.boolean(),
  )
  .map(([first, others, isSame]): ModelCommand => {
    const all = [first, ...others];
    // Often it is all about one user and order.
    return new Act(isSame ? all.map((intent) => ({ ...intent, user: first.user, order: first.order })) : all);
  });

/** The same operation twice at the same time. */
const twins = fc.oneof(...CONTENDERS.map(intents)).map((intent): ModelCommand => new Act([intent, intent]));

const MOST_COMMANDS = 60;

/** Sequences of commands; some kinds come more often, so that there is something for the others to work on. */
export const sequences = fc.commands(
  [
    ...(['claim', 'claim', 'claim', 'grant', 'exchange', 'revoke', 'hide'] as const).map(one),
    ...(['hold', 'hold', 'hold', 'hold', 'commit', 'commit', 'commit', 'release', 'lapse'] as const).map(one),
    ...(['return', 'return', 'refund', 'refund', 'earn', 'reverse', 'award', 'award'] as const).map(one),
    ...(['again', 'again', 'altered'] as const).map(one),
    atOnce,
    atOnce,
    twins,
    ...Array.from({ length: 4 }, () => fc.constant(null).map((): ModelCommand => new MoveOn())),
  ],
  { maxCommands: MOST_COMMANDS, size: 'max' },
);
