/** What is wrong with an event beyond what the contract's annotations say. */
import { epochMs } from '../domain/epoch-ms.ts';
import { isCurrency } from '../domain/money.ts';
import type { FieldViolation } from '../domain/refusal.ts';
import type { IngestEventRequest } from '../gen/hongbao/v1/event_service_pb.ts';
import type { UserFacts } from '../gen/hongbao/v1/user_facts_pb.ts';
import { isCalendarDate } from './birthdays.ts';
import { FUTURE_TOLERANCE_MS } from './limits.ts';

/** The faults of an event, each with the field it is about; empty when it can be taken in. */
export function eventFaults(request: IngestEventRequest, nowMs: number): FieldViolation[] {
  const faults = factsFaultsOf(request);
  const latestMs = nowMs + FUTURE_TOLERANCE_MS;
  if ((epochMs(request.occurredAt) ?? 0) > latestMs)
    faults.push({ field: 'occurred_at', description: 'lies in the future by more than 5 minutes' });
  const { event } = request;
  if (event.case === 'orderCompleted' && !isCurrency(event.value.currency))
    faults.push({ field: 'order_completed.currency', description: 'is no currency of ISO 4217' });
  if (event.case === 'orderCompleted' && (epochMs(event.value.completedAt) ?? 0) > latestMs)
    faults.push({
      field: 'order_completed.completed_at',
      description: 'lies in the future by more than 5 minutes',
    });
  if (event.case === 'birthday' && event.value.date !== '' && !isCalendarDate(event.value.date))
    faults.push({ field: 'birthday.date', description: 'is no day of the calendar' });
  return faults;
}

function factsFaultsOf({ event }: IngestEventRequest): FieldViolation[] {
  if (event.case === 'userRegistered') return factsFaults(event.value.facts, 'user_registered.facts');
  return event.case === 'factsChanged' ? factsFaults(event.value.facts, 'facts_changed.facts') : [];
}

function factsFaults(facts: UserFacts | undefined, path: string): FieldViolation[] {
  if (facts === undefined) return [];
  const faults: FieldViolation[] = [];
  if (facts.birthday !== '' && !isCalendarDate(facts.birthday))
    faults.push({ field: `${path}.birthday`, description: 'is no day of the calendar' });
  const names = facts.attributes.map(({ name }) => name);
  if (new Set(names).size < names.length)
    faults.push({ field: `${path}.attributes`, description: 'names an attribute twice' });
  return faults;
}
