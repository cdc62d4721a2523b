/** A day of 24 hours in milliseconds; days of the contract are always of that length, whatever the clocks do. */
export const MS_PER_DAY = 86_400_000;
