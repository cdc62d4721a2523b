/**
 * The wallet field of a coupon: the first 16 bytes of SHA-256 over (kind, user, request id), each after its length.
 *
 * The field is the write's own idempotency record: the same request finds the same field, and the kind keeps a client of
 * one path from taking the id of another (LEDGER rule 5).
 */
import { hash } from 'node:crypto';

/** The paths on which coupons come to be. */
export type IssueKind = 'claim' | 'exchange' | 'grant' | 'event' | 'code' | 'voucher';

const FIELD_HEX_LENGTH = 32;

/** The field in hex. User and request ids are ASCII (the contract's pattern), so their length in characters is that in bytes. */
export function couponFieldHex(kind: IssueKind, userId: string, requestId: string): string {
  const text = `${kind.length}:${kind}${userId.length}:${userId}${requestId.length}:${requestId}`;
  return hash('sha256', text, 'hex').slice(0, FIELD_HEX_LENGTH);
}
