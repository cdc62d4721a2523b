/** The job that activates promotions at the time their schedule says: festivals begin by themselves. */
import { create } from '@bufbuild/protobuf';
import { textArray } from '../database/array-literal.ts';
import { type Sql, withDeadline } from '../database/client.ts';
import { changeState } from '../definitions/change-state.ts';
import type { DefinitionPorts } from '../definitions/definition-ports.ts';
import { etagOf } from '../definitions/etag.ts';
import { Refusal } from '../domain/refusal.ts';
import { ActivatePromotionRequestSchema } from '../gen/hongbao/v1/promotion_service_pb.ts';
import type { Job, JobContext } from '../jobs/job.ts';
import type { RuleSet } from '../ruleset/rule-set.ts';
import type { RuleSetEntry } from '../ruleset/rule-set-entry.ts';
import { ACTIVATE_EVERY_MS, ACTIVATION_MS } from './limits.ts';

/** What the job works with. */
export interface ActivationPorts {
  readonly definitions: DefinitionPorts;
  readonly rules: { readonly current: RuleSet };
  readonly nowMs: () => number;
}

/** Who the audit log says it was. */
const ACTOR = 'schedule';

/** Refusals after which the next look decides: the promotion was changed at this moment, or is gone. */
const OVERTAKEN: ReadonlySet<string> = new Set(['ETAG_MISMATCH', 'PROMOTION_NOT_FOUND', 'REQUEST_ID_REUSED']);

/** Makes the job. */
export function createActivateJob(ports: ActivationPorts): Job {
  return {
    name: 'activate-promotions',
    description: 'Activates promotions at the time their schedule says.',
    times: { kind: 'every', everyMs: ACTIVATE_EVERY_MS },
    isEnabled: true,
    run: (context) => activateDue(ports, context),
  };
}

interface DuePromotion {
  readonly entry: RuleSetEntry;
  /** One activation per promotion and scheduled time: who is deactivated by hand afterwards stays so. */
  readonly requestId: string;
}

async function activateDue(
  ports: ActivationPorts,
  { nowMs, signal, progress }: JobContext,
): Promise<{ activated: number; overtaken: number }> {
  const due = [...ports.rules.current.entries()].flatMap((entry) => dueAt(entry, nowMs));
  const counts = { activated: 0, overtaken: 0 };
  if (due.length === 0) return counts;
  const done = await recorded(ports.definitions.sql, due, ports.nowMs() + ACTIVATION_MS);
  for (const promotion of due.filter(({ requestId }) => !done.has(requestId))) {
    if (signal.aborted) break;
    counts[await activate(ports, promotion)] += 1;
    progress(counts);
  }
  return counts;
}

function dueAt(entry: RuleSetEntry, nowMs: number): DuePromotion[] {
  const { state, activateAtMs: atMs } = entry;
  if (state !== 'inactive' || atMs === undefined || atMs > nowMs) return [];
  return [{ entry, requestId: `schedule:${entry.ref}:${atMs}` }];
}

async function activate(
  { definitions, nowMs }: ActivationPorts,
  { entry, requestId }: DuePromotion,
): Promise<'activated' | 'overtaken'> {
  const request = create(ActivatePromotionRequestSchema, {
    promotionId: entry.id,
    requestId,
    // Of the version that was looked at: a schedule that is changed meanwhile is looked at again.
    etag: etagOf(entry.version),
    reason: 'the scheduled time has come',
  });
  const context = { actor: ACTOR, nowMs: nowMs(), deadlineMs: nowMs() + ACTIVATION_MS };
  try {
    await changeState(definitions, ActivatePromotionRequestSchema, request, 'activated', context);
    return 'activated';
  } catch (error) {
    if (error instanceof Refusal && OVERTAKEN.has(error.reason)) return 'overtaken';
    throw error;
  }
}

/** Which of these activations were carried out before. */
async function recorded(
  sql: Sql,
  due: readonly DuePromotion[],
  deadlineMs: number,
): Promise<ReadonlySet<string>> {
  const ids = textArray(due.map(({ requestId }) => requestId));
  const rows = await withDeadline(
    sql<{ request_id: string }[]>`
      select request_id from request_record
      where method = ${ActivatePromotionRequestSchema.typeName} and request_id = any(${ids}::text[])`,
    deadlineMs,
  );
  return new Set(rows.map(({ request_id }) => request_id));
}
