import { Refusal } from '../domain/refusal.ts';

/** Names a version; callers treat it as opaque. */
export function etagOf(version: number): string {
  return `v${version}`;
}

/** Throws ETAG_MISMATCH when the caller has read another version than the current one; an empty etag accepts any. */
export function requireEtag(etag: string, currentVersion: number): void {
  if (etag === '' || etag === etagOf(currentVersion)) return;
  throw etagMismatch();
}

/** The refusal for a promotion that changed since the caller read it. */
export function etagMismatch(): Refusal {
  return new Refusal('ETAG_MISMATCH', 'the promotion changed since it was read; read it again');
}
