import { isTimeZone } from '../../engine/zoned-clock.ts';
import type { Limits } from '../../gen/hongbao/v1/availability_pb.ts';
import type { FaultFinder, Report } from './report.ts';

const NARROW_AND_WIDE = [
  ['usesPerUser', 'uses_per_user', 'usesTotal', 'uses_total'],
  ['usesPerDay', 'uses_per_day', 'usesTotal', 'uses_total'],
  ['usesPerWeek', 'uses_per_week', 'usesTotal', 'uses_total'],
  ['usesPerMonth', 'uses_per_month', 'usesTotal', 'uses_total'],
  ['usesPerDay', 'uses_per_day', 'usesPerWeek', 'uses_per_week'],
  ['usesPerDay', 'uses_per_day', 'usesPerMonth', 'uses_per_month'],
] as const;

/** Limits that another one makes unreachable, periods without a time zone, budgets for effects that cost no money. */
export const limitFaults: FaultFinder = ({ limits, effect }, report) => {
  if (limits === undefined) return;
  orderFaults(limits, report);
  timeZoneFaults(limits, report);
  const points = effect?.kind.case === 'bonusPoints' || effect?.kind.case === 'pointsMultiplier';
  if (limits.budget !== undefined && points) {
    report('limits.budget', 'a budget bounds money, but the effect gives points');
  }
};

function orderFaults(limits: Limits, report: Report): void {
  for (const [narrow, narrowName, wide, wideName] of NARROW_AND_WIDE) {
    const [small, large] = [limits[narrow], limits[wide]];
    if (small !== undefined && large !== undefined && small > large) {
      report(`limits.${narrowName}`, `can never be reached: it is above ${wideName}`);
    }
  }
}

function timeZoneFaults(limits: Limits, report: Report): void {
  const { usesPerDay, usesPerWeek, usesPerMonth, timeZone } = limits;
  const hasPeriod = [usesPerDay, usesPerWeek, usesPerMonth].some((limit) => limit !== undefined);
  if (timeZone === '') {
    if (hasPeriod) report('limits.time_zone', 'is needed to know when a day, week or month begins');
  } else if (!isTimeZone(timeZone)) {
    report('limits.time_zone', 'is not a known IANA time zone');
  }
}
