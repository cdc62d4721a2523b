/** Where the archive keeps what: which generation of the ledger is in force, and which partition holds a user. */
import { partitionOf } from '../ledger/keys.ts';
import type { PartitionId } from './ledger-port.ts';

/** The partitions of the generation in force. */
export class ArchivePlaces {
  readonly partitions: number;
  private current: readonly PartitionId[] = [];

  constructor(generation: number, partitions: number) {
    this.partitions = partitions;
    this.generation = generation;
  }

  /** The generation in force. Set it when Postgres has said which one it is. */
  get generation(): number {
    return this.current[0]?.generation ?? 0;
  }

  set generation(generation: number) {
    this.current = Array.from({ length: this.partitions }, (_, partition) => ({ generation, partition }));
  }

  /** All of them, in their order. */
  get all(): readonly PartitionId[] {
    return this.current;
  }

  /** Where everything of a user is. */
  ofUser(userId: string): PartitionId {
    return { generation: this.generation, partition: partitionOf(userId, this.partitions) };
  }
}
