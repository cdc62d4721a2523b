/** Figures as text, the same in the table and on the page. */

/** A whole number with separators. */
export function formatCount(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '–';
}

/** Microseconds as milliseconds, with two digits behind the point below ten. */
export function formatMs(microseconds: number): string {
  const ms = microseconds / 1000;
  return ms.toFixed(ms < 10 ? 2 : 1);
}

/** A ratio with two digits, a count as it is. */
export function formatRatio(value: number): string {
  if (!Number.isFinite(value)) return 'not measured';
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

/** What works behind a server, as `redis 9.1 + archive 12.0`. */
export function formatBehind(groups: Readonly<Record<string, number>>): string {
  const parts = Object.entries(groups).map(([name, microseconds]) => `${name} ${microseconds.toFixed(1)}`);
  return parts.length === 0 ? '–' : parts.join(' + ');
}
