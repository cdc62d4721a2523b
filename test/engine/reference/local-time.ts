/** The wall clock in a zone. */
export interface WallTime {
  /** 0 to 1439. */
  readonly minute: number;
  /** 1 = Monday … 7 = Sunday. */
  readonly day: number;
}

/** What clocks in a zone show at a moment. */
export function wallTime(atMs: number, timeZone: string): WallTime {
  const local = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timeZone);
  return { minute: local.hour * 60 + local.minute, day: local.dayOfWeek };
}

/** "13:05" for a minute of the day. */
export function clockText(minute: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}
