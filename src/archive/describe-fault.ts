/** What may be logged of an error: a driver's details can hold whole rows. */
export function describeFault(error: unknown): { readonly reason: string; readonly code?: string } {
  if (!(error instanceof Error)) return { reason: String(error) };
  const code = 'code' in error ? { code: String(error.code) } : {};
  return { reason: `${error.name}: ${error.message}`, ...code };
}
