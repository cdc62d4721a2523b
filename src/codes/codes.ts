import type { Sql } from '../database/client.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ConnectionOfPartition } from '../ledger/partition-connection.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import { CodeClaims } from './claim-code.ts';
import { CodeBook } from './code-book.ts';
import { CodeSecrets } from './code-secrets.ts';
import { GuessGuard, type GuessLimits } from './guess-guard.ts';
import { PlausibleCodes } from './plausible-codes.ts';
import { type CodeRuleSet, PublicCodes } from './public-codes.ts';

/** How codes are kept and guarded. */
export interface CodeSettings extends GuessLimits {
  /** The secret they are kept by. */
  readonly key: string;
  /** Days of 24 hours for which they can be exported. */
  readonly exportDays: number;
}

/** What codes work with. */
export interface CodePorts {
  readonly sql: Sql;
  readonly ledger: Ledger;
  /** Connections of their own, for counting who tries codes. */
  readonly connections: ConnectionOfPartition;
  readonly rules: { readonly current: CodeRuleSet };
  readonly settings: CodeSettings;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/** Everything about codes that a process offers. */
export interface Codes {
  readonly secrets: CodeSecrets;
  readonly exportDays: number;
  /** For evaluations and orders. */
  readonly book: CodeBook;
  /** For the wallet. */
  readonly claims: CodeClaims;
  readonly guesses: GuessGuard;
}

/** Puts the parts together. */
export function createCodes(ports: CodePorts): Codes {
  const { sql, ledger, connections, rules, settings, logger, nowMs } = ports;
  const secrets = new CodeSecrets(settings.key);
  const plausible = new PlausibleCodes(sql, nowMs);
  const publicCodes = new PublicCodes(() => rules.current);
  const reportUnsettled = (cause: unknown): void =>
    logger.warn(
      { event: LOG_EVENTS.codeUnsettled, err: cause },
      'a code was taken and is not yet marked as used',
    );
  return {
    secrets,
    exportDays: settings.exportDays,
    book: new CodeBook({ sql, secrets, plausible }),
    claims: new CodeClaims({ sql, ledger, secrets, publicCodes, plausible, reportUnsettled }),
    guesses: new GuessGuard(connections, settings),
  };
}
