import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { DefinitionPorts } from '../../definitions/definition-ports.ts';
import {
  type AuditFilter,
  type AuditRow,
  readAuditEntries,
} from '../../definitions/store/read-audit-entries.ts';
import { epochMs } from '../../domain/epoch-ms.ts';
import {
  AuditAction,
  type AuditEntrySchema,
  type ListAuditEntriesRequest,
  type ListAuditEntriesRequestSchema,
  type ListAuditEntriesResponseSchema,
} from '../../gen/hongbao/v1/promotion_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { numbersOfPageToken, pageSizeOf, tokenAfterNumbers } from './staff-page.ts';

const ACTIONS: ReadonlyMap<string, AuditAction> = new Map<string, AuditAction>([
  ['created', AuditAction.CREATED],
  ['updated', AuditAction.UPDATED],
  ['activated', AuditAction.ACTIVATED],
  ['deactivated', AuditAction.DEACTIVATED],
  ['finished', AuditAction.FINISHED],
  ['deleted', AuditAction.DELETED],
  ['codes_generated', AuditAction.CODES_GENERATED],
  ['codes_imported', AuditAction.CODES_IMPORTED],
  ['codes_exported', AuditAction.CODES_EXPORTED],
  ['coupons_granted', AuditAction.COUPONS_GRANTED],
  ['grant_cancelled', AuditAction.GRANT_CANCELLED],
  ['coupons_revoked', AuditAction.COUPONS_REVOKED],
]);

/** Serves ListAuditEntries. */
export function listAuditEntries({
  sql,
}: DefinitionPorts): UnaryHandler<
  typeof ListAuditEntriesRequestSchema,
  typeof ListAuditEntriesResponseSchema
> {
  return async (request, { deadlineMs }) => {
    const filter = filterOf(request);
    const tied = { method: 'audit', query: JSON.stringify(filter) };
    const [below] = numbersOfPageToken(request.pageToken, tied) ?? [];
    const size = pageSizeOf(request.pageSize);
    const rows = await readAuditEntries(sql, filter, { below, limit: size + 1 }, deadlineMs);
    const shown = rows.slice(0, size);
    const last = rows.length > size ? shown.at(-1) : undefined;
    return {
      entries: shown.map(entryOf),
      nextPageToken: tokenAfterNumbers(last && [Number(last.id)], tied),
    };
  };
}

function filterOf(request: ListAuditEntriesRequest): AuditFilter {
  const actions: ReadonlySet<AuditAction> = new Set(request.actions);
  return {
    promotionId: request.promotionId,
    actor: request.actor,
    actions: [...ACTIONS].flatMap(([name, action]) => (actions.has(action) ? [name] : [])),
    fromMs: epochMs(request.occurredFrom),
    untilMs: epochMs(request.occurredUntil),
  };
}

function entryOf(row: AuditRow): MessageInitShape<typeof AuditEntrySchema> {
  return {
    auditEntryId: row.id,
    promotionId: row.promotion_id,
    version: row.to_version,
    action: ACTIONS.get(row.action) ?? AuditAction.UNSPECIFIED,
    actor: row.actor,
    reason: row.reason,
    requestId: row.request_id,
    occurredAt: timestampFromDate(row.at),
    changedFields: row.changed_fields,
    alsoIssued: row.also_issued,
  };
}
