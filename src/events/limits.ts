/** Bounds of what is done with events of the shop. Times are in milliseconds. */
import { MS_PER_DAY } from '../domain/durations.ts';

/** Clocks of shops may be ahead by this; an event from further in the future is a mistake. */
export const FUTURE_TOLERANCE_MS = 5 * 60_000;
/** One attempt at an event by the job; many effects, each a few round trips. */
export const ATTEMPT_MS = 10_000;
/** Nobody else tries an event for this much longer than its attempt may take, so that few are made twice. */
export const LEASE_MARGIN_MS = 1_000;
/** Kept back from a call's deadline for writing down how the attempt ended, at most and as a share. */
export const SETTLE_MARGIN_MS = 250;
export const SETTLE_MARGIN_SHARE = 0.2;
/** Pause between looks of a repeated event at the first one, which is under way. */
export const FIRST_LOOK_MS = 20;
export const LONGEST_LOOK_MS = 250;
/** Pause after a failed attempt; it doubles up to the longest. */
export const FIRST_RETRY_MS = 1_000;
export const LONGEST_RETRY_MS = 10 * 60_000;
/** Pause of a waiting event, which what it waits for ends sooner; it doubles up to the longest. */
export const FIRST_WAIT_MS = 60_000;
export const LONGEST_WAIT_MS = 60 * 60_000;
/** Failed attempts after which somebody should look at an event. */
export const ALARMING_ATTEMPTS = 10;
/** How long a process is waited for that has not yet heard of a promotion that the event may concern. */
export const RULES_MS = 5_000;
export const RULES_LOOK_MS = 5;

/** Events per batch of the job, and attempts at a time: bounded by connections to Postgres, not by work. */
export const EVENTS_PER_BATCH = 50;
export const EVENTS_AT_A_TIME = 8;
/** Batches per run of the job, so that a run ends and is counted. */
export const BATCHES_PER_RUN = 200;
/** Events of one order that are driven together with what they waited for; the job does the rest. */
export const WAITING_PER_ORDER = 20;
/** Pause between runs of the job. */
export const RETRY_EVERY_MS = 1_000;

/** Characters of an error kept with an event. */
export const ERROR_CHARACTERS = 500;

/** A birthday told later than this is over. */
export const BIRTHDAY_LATE_MS = 31 * MS_PER_DAY;
/** Days after a birthday on which the job still makes good what it missed. */
export const BIRTHDAY_CATCH_UP_DAYS = 2;
/** Users per page of the birthday job, and coupons issued at a time. */
export const USERS_PER_PAGE = 500;
export const COUPONS_AT_A_TIME = 16;

/** Pause between looks for promotions that are to be activated. */
export const ACTIVATE_EVERY_MS = 1_000;
/** Time for one activation. */
export const ACTIVATION_MS = 10_000;
/** Days for which it is remembered that the coupons of a birthday were given. */
export const BIRTHDAY_KEPT_DAYS = 100;
/** A change of facts shows this long after its own time at the latest; a statement lasts no longer. */
export const COPY_LAG_MS = 60_000;
