/** Which client certificate is which caller: a list of names, each with the identity it stands for. */
import type { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { type Identity, SCOPES } from '../domain/identity.ts';
import { MAX_LISTED_NAMES } from './security-limits.ts';

/** `DNS:checkout.shop.internal` or `URI:spiffe://shop/checkout`, as certificates write their names. */
const NAME = z.string().regex(/^(DNS|URI):[\x21-\x7e]{1,500}$/, 'must be DNS:… or URI:…');
const SCOPE = z.string().refine((word) => Object.hasOwn(SCOPES, word), 'is no scope');

/** End users have no certificates: their ids would have to be in it, and they are not on this list. */
const ENTRY = z.strictObject({
  kind: z.enum(['service', 'front_desk', 'marketing', 'admin', 'sre']),
  actor: z.string().regex(/^[\x21-\x7e]{1,128}$/),
  scopes: z.array(SCOPE).max(Object.keys(SCOPES).length).default([]),
});

const LIST = z.record(NAME, ENTRY).refine((list) => Object.keys(list).length <= MAX_LISTED_NAMES, {
  error: `names more than ${MAX_LISTED_NAMES} certificates`,
});

/** Callers by a name of their certificate. */
export type ListedIdentities = ReadonlyMap<string, Identity>;

/** Reads the list. @throws when it is not JSON, or says something it may not. */
export function parseListedIdentities(text: string): ListedIdentities {
  const entries = Object.entries(LIST.parse(JSON.parse(text)));
  return new Map(
    entries.map(([name, { kind, actor, scopes }]) => [name, { kind, actor, scopes: new Set(scopes) }]),
  );
}

/**
 * The names of a certificate, `DNS:` and `URI:` alone. A name that Node has to quote holds characters with which other names
 * could be feigned, so it is left out.
 */
export function namesOf(certificate: X509Certificate): readonly string[] {
  const names = certificate.subjectAltName?.split(', ') ?? [];
  return names.filter((name) => /^(DNS|URI):[^"\s,]+$/.test(name));
}

/** The caller of the first name that is listed. */
export function identityOfNames(names: readonly string[], listed: ListedIdentities): Identity | undefined {
  for (const name of names) {
    const identity = listed.get(name);
    if (identity !== undefined) return identity;
  }
  return undefined;
}
