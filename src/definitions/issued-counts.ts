import type { DefinitionPorts } from './definition-ports.ts';

/**
 * Coupons issued of some promotions: from the ledger, or from the archive, moments behind, while the ledger does not
 * answer; promotions staff look at stay readable then. Throws when neither answers.
 */
export async function issuedCounts(
  { ledger, archive }: Pick<DefinitionPorts, 'ledger' | 'archive'>,
  refs: readonly number[],
  context: { readonly nowMs: number; readonly deadlineMs: number },
): Promise<ReadonlyMap<number, number>> {
  if (refs.length === 0) return new Map();
  // Half of the time is kept for the archive.
  const ledgerDeadlineMs = (context.nowMs + context.deadlineMs) / 2;
  try {
    const stocks = await ledger.readStock(refs, ledgerDeadlineMs);
    return new Map(stocks.map(({ ref, issued }) => [ref, issued]));
  } catch {
    return await archive.readIssued(refs, context.deadlineMs);
  }
}
