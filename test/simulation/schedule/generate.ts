/** Makes schedules of seeds. */
import { Random } from '../time/random.ts';
import type { CallFate } from '../world/link.ts';
import type { Fault, Operation, Schedule, Settings, Wish } from './plan.ts';

/** Time in which things are asked for and go wrong, in milliseconds. */
const SPAN_MS = 700;
const USERS = ['ann', 'ben', 'cyd'] as const;
const ORDERS = ['o1', 'o2'] as const;
const FATES = [
  'drop-request',
  'drop-reply',
  'drop-reply',
  'late',
  'late',
  'duplicate',
  'crash-before',
  'crash-after',
  'slow',
] as const satisfies readonly CallFate[];
const STATES = ['active', 'active', 'inactive', 'finished'] as const;

/** The schedule of a seed. */
export function generateSchedule(seed: number): Schedule {
  const random = new Random(seed);
  const settings = settingsOf(random);
  const operations = Array.from({ length: random.whole(6, 28) }, (_, index) =>
    operationOf(random, settings, index),
  );
  const faults = Array.from({ length: random.whole(0, 6) }, () => faultOf(random, settings)).flat();
  return { seed, settings, operations, faults };
}

function settingsOf(random: Random): Settings {
  const hasReplica = random.chance(0.4);
  return {
    appendFsync: hasReplica || random.chance(0.6) ? 'always' : 'everysec',
    hasReplica,
    durabilityFallback: random.pick(['refuse', 'refuse', 'degrade']),
    serving: random.whole(1, 3),
    trimMarginMs: random.pick([0, 100, 100_000]),
    quantity: random.whole(1, 5),
    perUserLimit: random.whole(1, 4),
    automaticUses: random.whole(1, 3),
    couponLifeMs: random.pick([300, 600, 3_600_000]),
    skewMs: random.pick([0, 0, 0, -40, 40, 1_000]),
  };
}

function operationOf(random: Random, settings: Settings, index: number): Operation {
  return {
    ...wishOf(random, index),
    atMs: Math.round(random.next() * SPAN_MS),
    process: random.whole(0, settings.serving - 1),
    deadlineMs: random.pick([20, 60, 150, 400]),
    attempts: random.whole(1, 4),
  };
}

function wishOf(random: Random, index: number): Wish {
  const user = random.pick(USERS);
  const order = random.pick(ORDERS);
  // Some requests come twice, from clients who do not know of each other.
  const request = `r${random.chance(0.2) ? random.whole(0, index) : index}`;
  const kind = random.pick(WISHES);
  switch (kind) {
    case 'claim':
    case 'grant':
      return { kind, promotion: random.pick(['fast', 'durable']), user, request };
    case 'hold': {
      const coupons = random.whole(0, 2);
      return random.chance(0.25)
        ? { kind, user, order, request, coupons }
        : { kind, user, order, request, coupons, holdMs: random.pick([40, 120, 400]) };
    }
    case 'hide':
      return { kind, user, request };
    case 'commit':
    case 'release':
    case 'return':
      return { kind, user, order, request };
    case 'change':
      return {
        kind,
        promotion: random.pick(['fast', 'durable']),
        state: random.pick(STATES),
        quantity: random.whole(0, 6),
      };
    case 'sweep':
      return { kind };
  }
}

const WISHES = [
  ...Array.from({ length: 8 }, () => 'claim' as const),
  'grant',
  'hide',
  ...Array.from({ length: 5 }, () => 'hold' as const),
  'commit',
  'commit',
  'commit',
  'release',
  'return',
  'return',
  'change',
  'sweep',
  'sweep',
] as const satisfies readonly Wish['kind'][];

function faultOf(random: Random, settings: Settings): Fault[] {
  if (random.chance(0.5)) return [callFaultOf(random, settings)];
  if (settings.hasReplica && random.chance(0.3)) return lostReplicas(random);
  return [timedFaultOf(random, settings)];
}

/** A replica that lags and then takes over: what it has not received is gone. */
function lostReplicas(random: Random): Fault[] {
  const atMs = Math.round(random.next() * SPAN_MS);
  const promotedAtMs = atMs + random.whole(20, 150);
  return [
    { kind: 'freeze-replica', atMs, forMs: promotedAtMs - atMs + 20 },
    { kind: 'promote-replica', atMs: promotedAtMs, forMs: random.pick([5, 40]) },
  ];
}

function timedFaultOf(random: Random, settings: Settings): Fault {
  const atMs = Math.round(random.next() * SPAN_MS);
  const forMs = random.pick([5, 40, 150]);
  const share = random.pick([0, 0.5, 1]);
  const kind = random.pick(KINDS);
  switch (kind) {
    case 'crash':
    case 'freeze': {
      const process = random.pick(['serve', 'archive', 'archive']);
      const number = random.whole(0, process === 'serve' ? settings.serving - 1 : 1);
      return { kind, process, number, atMs, forMs: kind === 'freeze' ? random.pick([60, 350]) : forMs };
    }
    case 'restart-redis':
      return { kind, atMs, forMs, share };
    case 'restore-backup':
      return { kind, atMs, forMs, share: random.next() };
    case 'jump-clock':
      return { kind, atMs, byMs: random.pick([-3_600_000, -50, 50, 3_600_000]) };
    case 'flush-scripts':
      return { kind, atMs };
    default:
      return { kind, atMs, forMs };
  }
}

const KINDS = [
  'crash',
  'crash',
  'freeze',
  'restart-redis',
  'restart-redis',
  'promote-replica',
  'promote-replica',
  'freeze-replica',
  'freeze-replica',
  'freeze-redis',
  'stop-postgres',
  'restore-backup',
  'jump-clock',
  'flush-scripts',
] as const satisfies readonly Fault['kind'][];

function callFaultOf(random: Random, settings: Settings): Fault {
  const process = random.pick(['serve', 'serve', 'serve', 'archive', 'postgres', 'postgres']);
  return {
    kind: 'call',
    process,
    number: random.whole(0, process === 'serve' ? settings.serving - 1 : 1),
    call: Math.floor(random.next() ** 2 * (process === 'postgres' ? 30 : 90)),
    fate: random.pick(FATES),
    forMs: random.pick([1, 30, 120, 150, 330]),
  };
}
