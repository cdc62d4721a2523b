/** Where the archive keeps what: which generation of the ledger is in force, and which partition holds a user. */
import { Refusal } from '../domain/refusal.ts';
import { partitionOf } from '../ledger/keys.ts';
import type { PartitionId } from './ledger-port.ts';

/**
 * The partitions of the generation in force. Until Postgres has said which one that is, every question is refused with
 * ARCHIVE_UNAVAILABLE: what an earlier generation says of an order must not be written to a later one.
 */
export class ArchivePlaces {
  readonly partitions: number;
  private current: readonly PartitionId[] | undefined;

  /** @param generation undefined when it is yet to be learned */
  constructor(generation: number | undefined, partitions: number) {
    this.partitions = partitions;
    if (generation !== undefined) this.generation = generation;
  }

  /** The generation in force. Set it when Postgres has said which one it is. */
  get generation(): number {
    return this.all[0]?.generation ?? 0;
  }

  set generation(generation: number) {
    this.current = Array.from({ length: this.partitions }, (_, partition) => ({ generation, partition }));
  }

  /** All of them, in their order. */
  get all(): readonly PartitionId[] {
    if (this.current !== undefined) return this.current;
    throw new Refusal('ARCHIVE_UNAVAILABLE', 'the database has not said yet which generation is in force');
  }

  /** Where everything of a user is. */
  ofUser(userId: string): PartitionId {
    return { generation: this.generation, partition: partitionOf(userId, this.partitions) };
  }
}
