/**
 * Page tokens say after which key the next page starts. They are opaque to callers and tied to the query: a token used with
 * another filter would silently skip or repeat rows, so it is refused. They carry nothing secret and need no signature.
 */
import { createHash } from 'node:crypto';
import { Refusal } from '../domain/refusal.ts';

const DIGEST_LENGTH = 11;

/** A query as far as it decides which rows come and in what order; the page size is not part of it. */
export type PagedQuery = Readonly<Record<string, string | number | bigint | undefined>>;

/** The token for the page after the row with this key. */
export function pageTokenAfter(key: string, query: PagedQuery): string {
  return digestOf(query) + Buffer.from(key).toString('base64url');
}

/** The key a token was made for; undefined for the first page. Throws INVALID_REQUEST naming `page_token`. */
export function keyOfPageToken(token: string, query: PagedQuery): string | undefined {
  if (token === '') return undefined;
  const key = Buffer.from(token.slice(DIGEST_LENGTH), 'base64url').toString();
  if (pageTokenAfter(key, query) === token) return key;
  throw foreignToken();
}

/** The refusal of a token that was not made for the query. */
export function foreignToken(): Refusal {
  return new Refusal('INVALID_REQUEST', 'The page token cannot be used', {
    violations: [{ field: 'page_token', description: 'is not a token of this query' }],
  });
}

function digestOf(query: PagedQuery): string {
  const canonical = JSON.stringify(
    Object.entries(query)
      .map(([name, value]) => [name, String(value)])
      .sort(),
  );
  return createHash('sha256').update(canonical).digest('base64url').slice(0, DIGEST_LENGTH);
}
