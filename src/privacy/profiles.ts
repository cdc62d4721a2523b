/**
 * Phones and names of users, apart from everything else: encrypted, found by a keyed digest, shown masked. No log line, metric
 * or key anywhere holds one.
 */
import { bytesArray } from '../database/array-literal.ts';
import { type Sql, withDeadline } from '../database/client.ts';
import { Refusal } from '../domain/refusal.ts';
import { maskName, maskPhone, normalPhone } from './phone-number.ts';
import type { SecretBox } from './secret-box.ts';

/** What profiles need. */
export interface ProfilePorts {
  readonly sql: Sql;
  readonly box: SecretBox;
  /** Country code of numbers that are given without one. */
  readonly countryCode: number;
}

/** What is stored about a user; what is absent stays as it was. */
export interface ProfileDetails {
  readonly phone?: string;
  readonly name?: string;
}

/** What may be shown; empty = not known. */
export interface MaskedProfile {
  readonly phone: string;
  readonly name: string;
}

interface ProfileRow {
  readonly phone: Buffer | null;
  readonly name: Buffer | null;
}

/** The kind of digest that phones are found by. */
export const PHONE_KIND = 'phone';

/** Where a sealed phone or name belongs. */
export const profilePlace = (kind: 'phone' | 'name', userId: string): string => `${kind}:${userId}`;

/** The profiles of all users. Methods throw ARCHIVE_UNAVAILABLE and DEADLINE_EXCEEDED besides what they name. */
export class Profiles {
  private readonly ports: ProfilePorts;

  constructor(ports: ProfilePorts) {
    this.ports = ports;
  }

  /** Stores what is given; repeating it is harmless. Throws USER_NOT_FOUND when the user was erased. */
  async put(userId: string, details: ProfileDetails, deadlineMs: number): Promise<void> {
    const { sql, box } = this.ports;
    const phone = details.phone ? this.normal(details.phone) : undefined;
    const digest = phone === undefined ? null : box.digests(phone, PHONE_KIND)[0];
    const sealedPhone = phone === undefined ? null : box.seal(phone, profilePlace('phone', userId));
    const sealedName = details.name ? box.seal(details.name, profilePlace('name', userId)) : null;
    const rows = sql`
      INSERT INTO user_profile AS p (user_id, phone_digest, phone, name)
      SELECT ${userId}::text, ${digest}::bytea, ${sealedPhone}::bytea, ${sealedName}::bytea
      WHERE NOT EXISTS (SELECT FROM erasure WHERE user_id = ${userId})
      ON CONFLICT (user_id) DO UPDATE SET phone_digest = coalesce(excluded.phone_digest, p.phone_digest),
        phone = coalesce(excluded.phone, p.phone), name = coalesce(excluded.name, p.name), updated_at = now()
      RETURNING user_id`;
    if ((await withDeadline(rows, deadlineMs)).length === 0)
      throw new Refusal('USER_NOT_FOUND', 'There is no such user');
  }

  /** What may be shown of a user; undefined when nothing is stored. */
  async masked(userId: string, deadlineMs: number): Promise<MaskedProfile | undefined> {
    const { sql, box, countryCode } = this.ports;
    const rows = sql<ProfileRow[]>`SELECT phone, name FROM user_profile WHERE user_id = ${userId}`;
    const [row] = await withDeadline(rows, deadlineMs);
    if (row === undefined) return undefined;
    return {
      phone:
        row.phone === null ? '' : maskPhone(box.open(row.phone, profilePlace('phone', userId)), countryCode),
      name: row.name === null ? '' : maskName(box.open(row.name, profilePlace('name', userId))),
    };
  }

  /** The user with exactly this number; of several, the one who gave it last. Undefined when there is none. */
  async findByPhone(phone: string, deadlineMs: number): Promise<string | undefined> {
    const { sql, box } = this.ports;
    const digests = bytesArray(box.digests(this.normal(phone), PHONE_KIND));
    const rows = sql<{ user_id: string }[]>`
      SELECT user_id FROM user_profile WHERE phone_digest = ANY (${digests}::bytea[])
      ORDER BY updated_at DESC, user_id LIMIT 1`;
    return (await withDeadline(rows, deadlineMs))[0]?.user_id;
  }

  private normal(phone: string): string {
    return normalPhone(phone, this.ports.countryCode);
  }
}
