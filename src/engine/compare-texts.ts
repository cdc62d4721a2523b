/** Orders texts by code units, the same on every machine: negative, zero or positive as a comparator. */
export function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
