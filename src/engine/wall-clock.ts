/** What a clock on the wall shows. */
export interface LocalTime {
  /** 0 to 1439. */
  readonly minuteOfDay: number;
  /** 1 = Monday … 7 = Sunday. */
  readonly isoDay: number;
}

/** Local times of one moment in any zone. */
export interface WallClock {
  /** The local time in an IANA zone, with daylight saving as the zone had it at that moment. */
  in(timeZone: string): LocalTime;
}
