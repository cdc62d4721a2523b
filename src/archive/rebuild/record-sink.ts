/** Gathers records per partition and writes them in calls of bounded size. */
import type { RebuildTarget, RebuiltRecord } from '../../ledger/rebuild-target.ts';
import { REBUILD_BYTES_PER_CALL, REBUILD_FIELDS_PER_CALL } from '../limits.ts';

interface Gathered {
  records: RebuiltRecord[];
  fields: number;
  bytes: number;
}

const NOTHING = (): Gathered => ({ records: [], fields: 0, bytes: 0 });

/** See the module's comment. */
export class RecordSink {
  private readonly targets: ReadonlyMap<number, RebuildTarget>;
  private readonly gathered = new Map<number, Gathered>();
  /** Records and fields taken so far. */
  private counts = { records: 0, fields: 0 };

  constructor(targets: ReadonlyMap<number, RebuildTarget>) {
    this.targets = targets;
  }

  /** Records and fields taken so far. */
  get taken(): { readonly records: number; readonly fields: number } {
    return this.counts;
  }

  /** Takes a record of a partition; one of a partition that is not rebuilt is left out. */
  async take(partition: number, record: RebuiltRecord): Promise<void> {
    if (!this.targets.has(partition) || record.fields.size === 0) return;
    const gathered = this.gathered.get(partition) ?? NOTHING();
    this.gathered.set(partition, gathered);
    gathered.records.push(record);
    gathered.fields += record.fields.size;
    for (const [name, value] of record.fields) gathered.bytes += name.length + value.length;
    this.counts = {
      records: this.counts.records + 1,
      fields: this.counts.fields + record.fields.size,
    };
    if (gathered.fields >= REBUILD_FIELDS_PER_CALL || gathered.bytes >= REBUILD_BYTES_PER_CALL)
      await this.flush(partition);
  }

  /** Writes what is left. */
  async end(): Promise<void> {
    for (const partition of this.targets.keys()) await this.flush(partition);
  }

  private async flush(partition: number): Promise<void> {
    const gathered = this.gathered.get(partition);
    if (gathered === undefined || gathered.records.length === 0) return;
    this.gathered.set(partition, NOTHING());
    await this.targets.get(partition)?.put(gathered.records);
  }
}
