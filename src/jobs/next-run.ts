/** When a cron line falls due next, in its own time zone. */
import { Cron } from 'croner';

/**
 * The first instant after `afterMs` at which the five fields hold, ms since the epoch; undefined when there is none. An
 * hour that does not exist when clocks go forward counts right after it; one that happens twice counts once.
 */
export function nextRunMs(cron: string, timeZone: string, afterMs: number): number | undefined {
  const line = new Cron(cron, { timezone: timeZone, paused: true, mode: '5-part' });
  return line.nextRun(new Date(afterMs))?.getTime();
}
