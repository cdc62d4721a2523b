/** Users that were erased: nobody may give them anything, and nothing about them is answered. */
import { Refusal } from '../domain/refusal.ts';
import { unchanged } from './held-fields.ts';
import { ACCOUNT_FIELDS } from './record-fields.ts';
import { accountOf, type Step } from './transaction.ts';

/** Whether the account says that its user was erased. */
export function isErased(account: ReadonlyMap<string, Buffer>): boolean {
  return account.has(ACCOUNT_FIELDS.erased.name);
}

/** The refusal for a user that was erased: the same as for one that never was. */
export function noSuchUser(): Refusal {
  return new Refusal('USER_NOT_FOUND', 'There is no such user');
}

/** Throws USER_NOT_FOUND when the account says that its user was erased. */
export function requireUser(account: ReadonlyMap<string, Buffer>): void {
  if (isErased(account)) throw noSuchUser();
}

/** Whether the user was erased is as it was read. */
export function sameErasure(userId: string, account: ReadonlyMap<string, Buffer>): Step {
  return unchanged(accountOf(userId), ACCOUNT_FIELDS.erased.bytes, account);
}

/** The user was not erased meanwhile. Who plans an effect for erased users refuses them by this step. */
export function userExists(userId: string): Step {
  return { kind: 'absent', on: accountOf(userId), field: ACCOUNT_FIELDS.erased.bytes };
}
