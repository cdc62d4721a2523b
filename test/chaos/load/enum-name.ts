/** The name of an enum's value, as the contract spells it without its prefix; the number when there is none. */
export function enumName(names: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(names).find(([, number]) => number === value)?.[0] ?? String(value);
}
