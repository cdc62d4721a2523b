/** I11 and I16: who moved the cursor, and whether everything has come to rest as it should. */
import type { CursorLook, HistoryRecord } from '../history.ts';
import type { LedgerState, PartitionState } from '../state/ledger-state.ts';
import type { Findings } from '../violation.ts';

/** When nothing is asked any more and every fault is healed. */
export function checkLiveness(findings: Findings, state: LedgerState): void {
  for (const one of state.logs) if (one.redis !== undefined) checkPartition(findings, one);
  const open = state.logs.filter(({ redis }) => redis !== undefined).length;
  if (open !== state.partitions)
    findings.breach('I16', 'partition-missing', `${open} of ${state.partitions} partitions have a log`);
  for (const { eventId, state: told, isOverdue } of state.inbox) {
    findings.count('events of the shop');
    if (isOverdue) findings.breach('I16', 'event-overdue', `event ${eventId} of the shop is still ${told}`);
  }
  for (const { promotionId, version, isPending } of state.promotions) {
    findings.count('promotions');
    if (isPending)
      findings.breach(
        'I16',
        'delivery-overdue',
        `version ${version} of promotion ${promotionId} is not delivered`,
      );
  }
}

function checkPartition(findings: Findings, { partition, redis, cursor, quarantined }: PartitionState): void {
  const last = redis?.stream.at(-1)?.seq ?? -1;
  if (redis?.isOpen !== true) findings.breach('I16', 'closed', `partition ${partition} is closed`);
  if (last > (cursor?.seq ?? -1)) {
    const text = `partition ${partition} is archived up to entry ${cursor?.seq ?? -1}, Redis has come to ${last}`;
    findings.breach('I16', 'not-archived', text);
  }
  if (quarantined > 0)
    findings.breach(
      'I16',
      'quarantine',
      `${quarantined} events of partition ${partition} wait in quarantine`,
    );
}

/** Looks at cursors in the order they were taken: numbers and epochs only go up, and one epoch has one owner. */
export function checkCursorLooks(
  findings: Findings,
  history: readonly HistoryRecord[],
  state: LedgerState,
): void {
  const looks = history.filter((record) => record.kind === 'cursor');
  const byPartition = Map.groupBy(looks, ({ generation, partition }) => `${generation}/${partition}`);
  for (const some of byPartition.values()) {
    for (const [index, look] of some.entries()) compareLooks(findings, some[index - 1], look);
    const last = some.at(-1);
    if (last !== undefined) compareWithEnd(findings, last, state);
  }
}

function compareLooks(findings: Findings, before: CursorLook | undefined, look: CursorLook): void {
  findings.count('cursor looks');
  if (before === undefined) return;
  const where = `the cursor of partition ${look.partition}`;
  if (look.seq < before.seq)
    findings.breach('I11', 'cursor-back', `${where} goes from entry ${before.seq} to ${look.seq}`);
  if (look.epoch < before.epoch)
    findings.breach('I11', 'epoch-back', `${where} goes from epoch ${before.epoch} to ${look.epoch}`);
  const isShared =
    look.epoch === before.epoch && look.owner !== '' && before.owner !== '' && look.owner !== before.owner;
  if (isShared) {
    const text = `${where} has two owners in epoch ${look.epoch}: ${before.owner} and ${look.owner}`;
    findings.breach('I11', 'two-owners', text);
  }
}

function compareWithEnd(findings: Findings, last: CursorLook, state: LedgerState): void {
  const end = state.logs.find(
    ({ generation, partition }) => generation === last.generation && partition === last.partition,
  )?.cursor;
  if (end !== undefined && (end.seq < last.seq || end.epoch < last.epoch)) {
    const text = `the cursor of partition ${last.partition} ends at entry ${end.seq}, it stood at ${last.seq} before`;
    findings.breach('I11', 'cursor-back', text);
  }
}
