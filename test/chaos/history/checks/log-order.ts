/** I7 and I8: the log of a partition has no hole and no fork, and the stream in Redis goes on where it ends. */
import type { PartitionState, RedisState, StoredEntry } from '../state/ledger-state.ts';
import { readEntry } from '../state/replay.ts';
import type { Findings, Place } from '../violation.ts';

function at({ generation, partition }: PartitionState, seq: number): Place {
  return { generation, partition, seq, index: 0 };
}

/** Checks one partition's log by itself, and against its cursor and its stream. */
export function checkLogOrder(findings: Findings, state: PartitionState): void {
  checkNumbers(findings, state);
  checkCursor(findings, state);
  if (state.redis !== undefined) checkStream(findings, state, state.redis);
}

function checkNumbers(findings: Findings, state: PartitionState): void {
  let next = state.log[0]?.seq ?? 0;
  if (state.generation === 1 && next !== 0)
    findings.breach('I7', 'log-start', `the log of partition ${state.partition} starts at entry ${next}`);
  let total = next === 0 ? 0 : undefined;
  let timeMs = 0;
  for (const stored of state.log) {
    const { seq } = stored;
    findings.count('log entries');
    if (seq !== next && !isKnownHole(state, next, seq - 1))
      findings.breach('I7', 'log-gap', `the log goes from entry ${next - 1} to ${seq}`, {
        places: [at(state, seq)],
      });
    next = seq + 1;
    if (isKnownHole(state, seq - 1, seq - 1)) total = undefined;
    const entry = readEntry(stored);
    if (entry instanceof Error) {
      const text = `entry ${seq} cannot be read: ${entry.message}`;
      findings.breach('I7', 'log-corrupt', text, { places: [at(state, seq)] });
      total = undefined;
      continue;
    }
    if (total !== undefined && entry.eventsTotal !== total + entry.events.length) {
      const text = `entry ${seq} says ${entry.eventsTotal} events were written, there were ${total + entry.events.length}`;
      findings.breach('I7', 'events-total', text, { places: [at(state, seq)] });
    }
    if (entry.timeMs < timeMs) {
      const text = `entry ${seq} was decided at ${entry.timeMs}, the one before at ${timeMs}`;
      findings.breach('I7', 'time-backwards', text, { places: [at(state, seq)] });
    }
    total = entry.eventsTotal;
    timeMs = entry.timeMs;
  }
}

function isKnownHole({ holes }: PartitionState, fromSeq: number, toSeq: number): boolean {
  return holes.some((hole) => hole.fromSeq <= fromSeq && toSeq <= hole.toSeq);
}

function checkCursor(findings: Findings, state: PartitionState): void {
  const { cursor, log } = state;
  const last = log.at(-1);
  if (cursor === undefined || last === undefined) {
    if (last !== undefined)
      findings.breach('I7', 'cursor-missing', `partition ${state.partition} has a log and no cursor`);
    return;
  }
  if (cursor.seq !== last.seq) {
    const text = `the log ends at entry ${last.seq}, the cursor stands at ${cursor.seq}`;
    findings.breach('I7', 'cursor-apart', text, { places: [at(state, last.seq)] });
  } else if (cursor.payload?.equals(last.payload) === false) {
    const text = `the cursor holds other bytes of entry ${last.seq} than the log`;
    findings.breach('I7', 'cursor-bytes', text, { places: [at(state, last.seq)] });
  }
}

function checkStream(findings: Findings, state: PartitionState, { stream }: RedisState): void {
  const logged = new Map(state.log.map((entry) => [entry.seq, entry]));
  const cursorSeq = state.cursor?.seq ?? -1;
  for (const [index, entry] of stream.entries())
    compareEntry(findings, state, logged, entry, stream[index - 1]);
  const first = stream[0]?.seq;
  const last = stream.at(-1)?.seq ?? -1;
  if (cursorSeq >= 0 && (first === undefined || first > cursorSeq)) {
    const text = `the stream starts at entry ${first ?? 'none'}, the archive has come to ${cursorSeq} only`;
    findings.breach('I8', 'trimmed-early', text, { places: [at(state, cursorSeq)] });
  }
  if (last < cursorSeq) {
    const text = `the stream ends at entry ${last}, the archive has entry ${cursorSeq}`;
    findings.breach('I7', 'redis-behind', text, { places: [at(state, cursorSeq)] });
  }
}

function compareEntry(
  findings: Findings,
  state: PartitionState,
  logged: ReadonlyMap<number, StoredEntry>,
  { seq, payload }: StoredEntry,
  before: StoredEntry | undefined,
): void {
  findings.count('stream entries');
  if (before !== undefined && seq !== before.seq + 1)
    findings.breach('I7', 'stream-gap', `the stream goes from entry ${before.seq} to ${seq}`, {
      places: [at(state, seq)],
    });
  const archived = logged.get(seq);
  if (archived !== undefined && !archived.payload.equals(payload)) {
    const text = `entry ${seq} is one thing in Redis and another in Postgres`;
    findings.breach('I7', 'fork', text, { places: [at(state, seq)] });
  }
}
