/** Who is calling. Everything here comes from the verified token, never from a message. */
import { Refusal } from './refusal.ts';

/** The kinds of caller there are; a token names one as `kind`. */
export const IDENTITY_KINDS = ['end_user', 'service', 'front_desk', 'marketing', 'admin', 'sre'] as const;

/** One of the kinds of caller. */
export type IdentityKind = (typeof IDENTITY_KINDS)[number];

/** What a service may be allowed to do; people are judged by their kind. A token lists its scopes as `scope`. */
export const SCOPES = {
  'coupons:claim': 'Claim coupons for users.',
  'coupons:read': "See users' coupons and what they can claim.",
  'coupons:hide': "Take coupons out of a user's lists.",
  'carts:evaluate': 'Evaluate carts and judge coupons for users.',
  'carts:replay': 'Decide by earlier rules and by a stated wallet.',
  'facts:assert': 'State facts about users (tags, level, registered at); without it they are ignored.',
  'promotions:read': 'Read promotions, their versions, audit log and statistics.',
  'promotions:write': 'Create and change promotions.',
  'insight:read': 'Read issued coupons and the event log.',
  'orders:redeem': 'Reserve, use, return and refund coupons of orders, and see them.',
  'points:read': "See users' points and what they buy.",
  'points:exchange': 'Buy coupons with points for users.',
  'points:award': 'Give points for tests; in development only.',
  'coupons:grant': 'Give coupons to users and take them back.',
  'codes:manage': 'Make, import and export single-use codes.',
  'events:write': 'Tell of events of the shop.',
  'events:read': 'Read the feed, and events that were taken in.',
  'webhooks:manage': 'Create, switch and delete webhooks.',
  'jobs:run': 'See and start scheduled jobs.',
  'privacy:read': 'See what is known about a user, masked, and find users by phone.',
  'privacy:erase': 'Erase users.',
} as const;

/** One of the scopes. */
export type Scope = keyof typeof SCOPES;

/** A caller as the token describes it. */
export interface Identity {
  readonly kind: IdentityKind;
  /** Who, for the audit log: the subject of the token. */
  readonly actor: string;
  /** The user that is calling; for end users only. */
  readonly userId?: string;
  readonly scopes: ReadonlySet<string>;
}

/**
 * Stops an end user who asks about somebody else. The answer is the one for a user that does not exist, so that ids
 * cannot be probed. Other kinds act for any user; which methods they may call is decided before.
 *
 * @throws Refusal USER_NOT_FOUND
 */
export function requireOwnUser(identity: Identity, userId: string): void {
  if (identity.kind === 'end_user' && identity.userId !== userId) {
    throw new Refusal('USER_NOT_FOUND', 'There is no such user');
  }
}

/** Whether facts about a user that come with a request may be believed. */
export function mayAssertFacts(identity: Identity): boolean {
  return identity.kind !== 'end_user' && identity.scopes.has('facts:assert');
}

const REPLAYING_PEOPLE: readonly IdentityKind[] = ['marketing', 'admin', 'sre'];

/** Whether the caller may have a decision made again: by earlier rules, or by a wallet as it was. */
export function mayReplay({ kind, scopes }: Identity): boolean {
  return kind === 'service' ? scopes.has('carts:replay') : REPLAYING_PEOPLE.includes(kind);
}
