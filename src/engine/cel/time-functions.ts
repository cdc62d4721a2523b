import { type CelFunc, CelScalar, celMethod, objectType } from '@bufbuild/cel';
import { type Timestamp, TimestampSchema, timestampMs } from '@bufbuild/protobuf/wkt';
import { MS_PER_DAY } from '../../domain/durations.ts';
import { zoneOffsetMs } from '../zoned-clock.ts';

const TIMESTAMP = objectType(TimestampSchema);
/** What each method reads from a date whose UTC fields show the wanted local time. */
const READERS: Readonly<Record<string, (local: Date) => number>> = {
  getFullYear: (local) => local.getUTCFullYear(),
  getMonth: (local) => local.getUTCMonth(),
  getDate: (local) => local.getUTCDate(),
  getDayOfMonth: (local) => local.getUTCDate() - 1,
  getDayOfWeek: (local) => local.getUTCDay(),
  getDayOfYear: (local) =>
    Math.floor((local.getTime() - Date.UTC(local.getUTCFullYear(), 0, 1)) / MS_PER_DAY),
  getHours: (local) => local.getUTCHours(),
  getMinutes: (local) => local.getUTCMinutes(),
  getSeconds: (local) => local.getUTCSeconds(),
  getMilliseconds: (local) => local.getUTCMilliseconds(),
};

/** The methods that take a time zone. */
export const TIME_METHODS: ReadonlySet<string> = new Set(Object.keys(READERS));

/**
 * The calendar methods of moments, in place of the library's own: those go through the time zone of the machine, whose missing
 * hours shift the answer, and build a date formatter for every call.
 */
export const TIME_FUNCTIONS: CelFunc[] = Object.entries(READERS).flatMap(([name, read]) => [
  celMethod(name, TIMESTAMP, [], CelScalar.INT, function () {
    return BigInt(read(new Date(timestampMs(this.message))));
  }),
  celMethod(name, TIMESTAMP, [CelScalar.STRING], CelScalar.INT, function (timeZone) {
    return BigInt(read(localDate(this.message, timeZone)));
  }),
]);

function localDate(moment: Timestamp, timeZone: string): Date {
  const atMs = timestampMs(moment);
  return new Date(atMs + zoneOffsetMs(timeZone, atMs));
}
