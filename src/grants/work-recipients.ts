/**
 * The work of a job on some of its recipients. A recipient is settled by what the ledger decides: a coupon, or a reason. Where
 * the outcome is unknown the recipient is given back and tried again, which is safe: the job's id names the coupon.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../database/client.ts';
import { REASONS, Refusal } from '../domain/refusal.ts';
import { issueCoupon } from '../ledger/issue-coupon.ts';
import type { Ledger } from '../ledger/ledger.ts';
import * as limits from './limits.ts';
import { revokeCoupon } from './revoke-coupon.ts';
import type { GrantJobRow } from './store/grant-jobs.ts';
import {
  type Recipient,
  releaseRecipients,
  type Settled,
  settleRecipients,
  takeRecipients,
} from './store/recipients.ts';

/** What work needs. */
export interface WorkPorts {
  readonly sql: Sql;
  readonly ledger: Ledger;
  readonly nowMs: () => number;
}

/** What became of a batch. */
export interface BatchReport {
  readonly taken: number;
  readonly granted: number;
  readonly refused: number;
  /** What kept recipients from being settled; the batch is to be tried again later. */
  readonly obstacle: unknown;
}

/** Works on the next recipients of a job. None are left when it took none. Throws ARCHIVE_UNAVAILABLE. */
export async function workBatch(
  ports: WorkPorts,
  job: GrantJobRow,
  size: number,
  signal: AbortSignal | undefined,
): Promise<BatchReport> {
  const { sql, nowMs } = ports;
  const deadline = (): number => nowMs() + limits.JOB_STATEMENT_MS;
  const recipients = await takeRecipients(sql, job, size, deadline());
  const { settled, unsettled, obstacle } = await workEach(ports, job, recipients, signal);
  await settleRecipients(sql, job.number, settled, deadline());
  await releaseRecipients(sql, job.number, unsettled, deadline());
  const refused = settled.filter(({ refusal }) => refusal !== undefined).length;
  return { taken: recipients.length, granted: settled.length - refused, refused, obstacle };
}

interface Worked {
  readonly settled: Settled[];
  readonly unsettled: number[];
  obstacle: unknown;
}

/** Some recipients at a time; after the first obstacle no further one is begun. */
async function workEach(
  ports: WorkPorts,
  job: GrantJobRow,
  recipients: readonly Recipient[],
  signal: AbortSignal | undefined,
): Promise<Worked> {
  const worked: Worked = { settled: [], unsettled: [], obstacle: undefined };
  const waiting = recipients.values();
  const work = async (): Promise<void> => {
    for (const recipient of waiting) {
      if (worked.obstacle !== undefined || signal?.aborted === true) {
        worked.unsettled.push(recipient.position);
        continue;
      }
      try {
        worked.settled.push(await settle(ports, job, recipient));
      } catch (error) {
        worked.unsettled.push(recipient.position);
        worked.obstacle ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: limits.RECIPIENTS_AT_ONCE }, work));
  return worked;
}

/** What the ledger decides for one recipient. Throws when that cannot be known. */
async function settle(ports: WorkPorts, job: GrantJobRow, recipient: Recipient): Promise<Settled> {
  const { position } = recipient;
  try {
    const couponId = await act(ports, job, recipient);
    return { position, couponId, refusal: undefined };
  } catch (error) {
    if (!(error instanceof Refusal) || REASONS[error.reason].outcome !== 'noEffect') throw error;
    return { position, couponId: undefined, refusal: error.reason };
  }
}

async function act(ports: WorkPorts, job: GrantJobRow, recipient: Recipient): Promise<string> {
  const deadlineMs = ports.nowMs() + limits.RECIPIENT_DEADLINE_MS;
  const userId = recipient.user_id;
  if (job.kind === 'revoke') {
    const couponId = recipient.coupon_id?.toString('hex') ?? '';
    const request = { userId, couponId, reason: job.reason, returnStock: job.return_stock };
    await revokeCoupon(ports.ledger, request, deadlineMs);
    return couponId;
  }
  const request = {
    promotionRef: job.promotion_ref ?? 0,
    userId,
    requestId: job.job_id,
    kind: 'grant' as const,
    source: 'staff' as const,
    event: 'granted' as const,
    minded: 'nothing' as const,
  };
  return (await issueCoupon(ports.ledger, request, deadlineMs)).couponId;
}

/** Waits until a batch of so many recipients has had its fair time. */
export async function keepPace(taken: number, startedAtMs: number, signal: AbortSignal): Promise<void> {
  const leftMs = (taken / limits.RECIPIENTS_PER_SECOND) * 1_000 - (performance.now() - startedAtMs);
  if (leftMs > 0) await sleep(leftMs, undefined, { signal }).catch(() => undefined);
}
