/**
 * What the Redis server really keeps, read from the server itself (never assumed): a write is durable only when the
 * append-only file is on and synced before each reply.
 */
import type { Redis } from 'ioredis';

/** The server's persistence as read. `isDurable` is what DURABLE promotions need; `reason` says why not. */
export interface Durability {
  readonly isDurable: boolean;
  readonly reason: string;
}

/** Nothing was read yet. */
export const DURABILITY_UNREAD: Durability = {
  isDurable: false,
  reason: 'the settings have not been read yet',
};

function judge(
  appendOnly: string | undefined,
  appendFsync: string | undefined,
  lastWrite: string | undefined,
): Durability {
  if (appendOnly !== 'yes')
    return { isDurable: false, reason: `appendonly is ${appendOnly ?? 'not readable'}` };
  if (appendFsync !== 'always')
    return { isDurable: false, reason: `appendfsync is ${appendFsync ?? 'not readable'}` };
  if (lastWrite !== 'ok')
    return { isDurable: false, reason: 'the last write of the append-only file failed' };
  return { isDurable: true, reason: 'appendonly yes, appendfsync always' };
}

/** What a server answers for good when CONFIG is not for us. Anything else may be gone in a moment. */
const FORBIDDEN = /^(NOPERM|ERR)\b/;

/** CONFIG may be forbidden; the operator can then vouch for appendfsync, and INFO still tells whether the file is on. */
async function readSettings(redis: Redis): Promise<Map<string, string>> {
  const reply = await redis.call('CONFIG', ['GET', 'append*']).catch((error: Error) => {
    if (FORBIDDEN.test(error.message)) return [];
    throw error;
  });
  const settings = new Map<string, string>();
  if (!Array.isArray(reply)) return settings;
  for (let index = 0; index + 1 < reply.length; index += 2)
    settings.set(String(reply[index]), String(reply[index + 1]));
  return settings;
}

/** Reads the settings. `isFsyncVouchedFor` stands in for settings the server does not show. Throws when there is no reply. */
export async function readDurability(redis: Redis, isFsyncVouchedFor: boolean): Promise<Durability> {
  const info = await redis.info('persistence');
  const settings = await readSettings(redis);
  const isOn = /^aof_enabled:1/m.test(info) ? 'yes' : 'no';
  const vouched = isFsyncVouchedFor && settings.size === 0 ? 'always' : undefined;
  const lastWrite = /^aof_last_write_status:(\w+)/m.exec(info)?.[1];
  return judge(settings.get('appendonly') ?? isOn, settings.get('appendfsync') ?? vouched, lastWrite);
}
