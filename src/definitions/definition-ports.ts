import type { Sql } from '../database/client.ts';
import type { ArchiveProgress, DefinitionLedger } from './definition-ledger.ts';

/** What the definition plane works with; made once per process by the composition root. */
export interface DefinitionPorts {
  readonly sql: Sql;
  readonly ledger: DefinitionLedger;
  readonly archive: ArchiveProgress;
  /** Makes an id for a promotion whose creator gave none; any text the contract allows, never twice the same. */
  newPromotionId(): string;
}

/** The circumstances of one write of staff. */
export interface WriteContext {
  /** From the token. */
  readonly actor: string;
  readonly nowMs: number;
  readonly deadlineMs: number;
}
