/** A code as it is compared, wherever it is typed: without outer blanks, in lower case. */
export function normalisedCode(code: string): string {
  return code.trim().toLowerCase();
}
