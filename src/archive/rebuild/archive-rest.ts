import { BatchWriter } from '../batch-writer.ts';
import type { LeaseKeeper } from '../lease-keeper.ts';
import type { LedgerAdmin } from '../ledger-port.ts';
import { StreamReader } from '../stream-reader.ts';
import type { RebuildPorts } from './rebuild-ports.ts';

/** Archives what is in the stream of a closed partition to its end, under its lease; answers how many entries that were. */
export async function archiveRest(
  { client, nowMs }: Pick<RebuildPorts, 'client' | 'nowMs'>,
  keeper: LeaseKeeper,
  ledger: LedgerAdmin,
): Promise<number> {
  const reader = new StreamReader(ledger);
  const writer = new BatchWriter(client, keeper, nowMs, () => {});
  await writer.loadQuarantine();
  for (let archived = 0; ; ) {
    const { seq } = await keeper.require();
    const entries = await reader.read(seq);
    if (entries.length === 0) return archived;
    await writer.write(entries);
    archived += entries.length;
  }
}
