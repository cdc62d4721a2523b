import { expect, test } from 'vitest';
import { IDENTITY_KINDS, type Identity, mayAssertFacts, mayReplay, requireOwnUser } from './identity.ts';

const alice: Identity = {
  kind: 'end_user',
  actor: 'alice',
  userId: 'alice',
  scopes: new Set(['facts:assert']),
};

// SPEC S1
test("an end user sees own data; another user's id reads as not found", () => {
  expect(() => requireOwnUser(alice, 'alice')).not.toThrow();
  expect(() => requireOwnUser(alice, 'bob')).toThrow(expect.objectContaining({ reason: 'USER_NOT_FOUND' }));
});

test.each(IDENTITY_KINDS.filter((kind) => kind !== 'end_user'))('%s acts for any user', (kind) => {
  expect(() => requireOwnUser({ kind, actor: 'somebody', scopes: new Set() }, 'bob')).not.toThrow();
});

// SPEC S2
test('facts are believed from a caller with the scope, never from an end user', () => {
  expect(mayAssertFacts(alice)).toBe(false);
  expect(mayAssertFacts({ kind: 'service', actor: 'gateway', scopes: new Set() })).toBe(false);
  expect(mayAssertFacts({ kind: 'service', actor: 'gateway', scopes: new Set(['facts:assert']) })).toBe(true);
});

// SPEC S1
test('decisions are made again for staff and for services with the scope, never for an end user', () => {
  const scopes = new Set(['carts:replay']);
  const allowed = IDENTITY_KINDS.filter((kind) => mayReplay({ kind, actor: 'somebody', scopes }));
  expect(allowed).toEqual(['service', 'marketing', 'admin', 'sre']);
  expect(mayReplay({ kind: 'service', actor: 'checkout', scopes: new Set(['carts:evaluate']) })).toBe(false);
});
