/** What leaves the product, and the personal data it keeps: the parts that serving and archiving processes share. */
import type { ArchivePlaces } from './archive/places.ts';
import type { Config } from './config/config.ts';
import type { Sql } from './database/client.ts';
import { EventStreams } from './feed/event-streams.ts';
import { Feed } from './feed/feed.ts';
import type { WebhookReach } from './feed/webhook-address.ts';
import { Webhooks } from './feed/webhooks.ts';
import { Profiles } from './privacy/profiles.ts';
import { SecretBox } from './privacy/secret-box.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** These parts. */
export interface Outbound {
  readonly box: SecretBox;
  readonly reach: WebhookReach;
  readonly feed: Feed;
  readonly eventStreams: EventStreams;
  readonly webhooks: Webhooks;
  readonly profiles: Profiles;
}

/** Puts them together; nothing runs. */
export function createOutbound(
  config: Pick<Config, 'privacy' | 'service'>,
  ports: {
    readonly sql: Sql;
    readonly places: ArchivePlaces;
    readonly metrics: Metrics;
    readonly nowMs: () => number;
  },
): Outbound {
  const { sql, places, metrics, nowMs } = ports;
  const { secretsKeys, countryCode } = config.privacy;
  const box = new SecretBox(secretsKeys);
  const reach = config.service.development === 'embedded' ? 'anywhere' : 'public';
  const feed = new Feed(sql, places);
  return {
    box,
    reach,
    feed,
    eventStreams: new EventStreams({ feed, metrics, nowMs }),
    webhooks: new Webhooks({ sql, feed, box, reach }),
    profiles: new Profiles({ sql, box, countryCode }),
  };
}
