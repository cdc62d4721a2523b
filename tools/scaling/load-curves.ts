/** Calls per second over time: the days a shop has. Time in seconds from the start of the simulated stretch. */

/** One day, or the part of it that matters. */
export interface LoadCurve {
  readonly name: string;
  readonly title: string;
  readonly lengthSeconds: number;
  /** Minute of the day at which the stretch starts. */
  readonly startMinute: number;
  /** Share of calls that are evaluations of carts, 0 to 1; all others are claims. */
  readonly evaluationShare: number;
  /** Whether the clock of KEDA was told of it. */
  readonly isAnnounced: boolean;
  callsPerSecond(second: number): number;
}

/** Calls per second of an ordinary hour. */
export const BASE_CALLS = 6_000;
/** How many times as many come at the peak of a sale. */
export const PEAK_FACTOR = 20;
/** Time in which a sale's crowd arrives. */
const RISE_SECONDS = 10;
/** Time the crowd stays in full. */
const PLATEAU_SECONDS = 60;
/** Time in which what came in excess falls to a third, once it goes. */
const DECAY_SECONDS = 180;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
/** A sale begins so long after the start of the stretch. */
const SALE_AT = 15 * MINUTE;
/** 20:00, as the example of KEDA's clock has it. */
const SALE_MINUTE = 20 * MINUTE;
const SALE_LENGTH = 45 * MINUTE;

/** The load of a sale: `BASE_CALLS`, then twenty times as many within ten seconds, which go away over some minutes. */
function saleCalls(riseSeconds: number): (second: number) => number {
  return (second) => {
    const since = second - SALE_AT;
    const above = (PEAK_FACTOR - 1) * BASE_CALLS;
    if (since <= 0) return BASE_CALLS;
    if (since < riseSeconds) return BASE_CALLS + (above * since) / riseSeconds;
    const after = Math.max(0, since - riseSeconds - PLATEAU_SECONDS);
    return BASE_CALLS + above * Math.exp(-after / DECAY_SECONDS);
  };
}

/** A sale that opens on the stroke of eight. */
export const FLASH_SALE: LoadCurve = {
  name: 'flash-sale',
  title: 'Flash sale: 20 times the load within 10 s',
  lengthSeconds: SALE_LENGTH,
  startMinute: SALE_MINUTE - SALE_AT / MINUTE,
  evaluationShare: 0.1,
  isAnnounced: true,
  callsPerSecond: saleCalls(RISE_SECONDS),
};

/** The same sale at an hour nobody has told the clock of. */
export const SURPRISE: LoadCurve = {
  ...FLASH_SALE,
  name: 'surprise',
  title: 'The same crowd unannounced',
  isAnnounced: false,
};

/** The same crowd unannounced, arriving over four minutes, as after a message to everybody. */
export const PUSH_MESSAGE: LoadCurve = {
  name: 'push-message',
  title: 'Message to everybody: 20 times the load within 4 min',
  lengthSeconds: SALE_LENGTH,
  startMinute: 14 * MINUTE,
  evaluationShare: 0.1,
  isAnnounced: false,
  callsPerSecond: saleCalls(4 * MINUTE),
};

/** A day without a sale, of carts more than of claims: least at five in the morning, most at five in the afternoon, six times as many. */
export const ORDINARY_DAY: LoadCurve = {
  name: 'ordinary-day',
  title: 'Ordinary day: six times as many calls at 17:00 as at 05:00',
  lengthSeconds: 24 * HOUR,
  startMinute: 0,
  evaluationShare: 0.6,
  isAnnounced: false,
  callsPerSecond: (second) => {
    const phase = Math.cos(((second / HOUR - 17) / 24) * 2 * Math.PI);
    return BASE_CALLS * (3.5 + 2.5 * phase);
  },
};
