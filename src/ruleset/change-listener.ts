import { type Sql, withDeadline } from '../database/client.ts';
import { RULE_SET_CHANNEL } from '../definitions/store/commit-version.ts';

/** Time for one round trip, in milliseconds; a link that does not answer by then counts as lost. */
const ROUND_TRIP_MS = 1_000;

/** What happens on the connection of a listener. */
export interface ListenerEvents {
  readonly onNotification: () => void;
  readonly onClose: () => void;
}

/** Opens a pool of exactly one connection that reports these events. */
export type OpenListener = (events: ListenerEvents) => Sql;

/**
 * Hears of new rule-set versions on a connection of its own. The driver's own `listen` gives up for good when Postgres is
 * still down at the moment it tries again; here LISTEN, which may be repeated on one connection without effect, is sent
 * again and again and so is the heartbeat as well.
 */
export class ChangeListener {
  private readonly sql: Sql;
  private isListening = false;

  constructor(open: OpenListener, onChange: () => void) {
    this.sql = open({
      onNotification: onChange,
      onClose: () => {
        this.isListening = false;
        onChange();
      },
    });
  }

  /** Makes sure that the connection listens. Waits only when it did not; never throws, because polling goes on anyway. */
  async ensure(nowMs: number): Promise<void> {
    const heartbeat = this.listen(nowMs);
    if (!this.isListening) await heartbeat;
  }

  async close(): Promise<void> {
    await this.sql.end({ timeout: 1 });
  }

  private async listen(nowMs: number): Promise<void> {
    try {
      await withDeadline(this.sql`listen ${this.sql(RULE_SET_CHANNEL)}`, nowMs + ROUND_TRIP_MS);
      this.isListening = true;
    } catch {
      this.isListening = false;
    }
  }
}
