/** Histories survive in files, also when the writer is killed (SPEC C4). */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { HistoryRecord } from './history.ts';
import { HistoryWriter, readHistory } from './history-file.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'history-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const notes = (count: number): HistoryRecord[] =>
  Array.from({ length: count }, (_, at) => ({ kind: 'note', at, text: `记录 ${at}` }));

it('reads what was written, in order, over several writers', () => {
  const path = join(directory, 'history.jsonl');
  const records = notes(5_000);
  for (const part of [records.slice(0, 3_000), records.slice(3_000)]) {
    const writer = new HistoryWriter(path);
    for (const record of part) writer.append(record);
    writer.close();
  }
  expect(readHistory(path)).toEqual(records);
});

it('leaves out a last line that was being written', () => {
  const path = join(directory, 'history.jsonl');
  const writer = new HistoryWriter(path);
  for (const record of notes(3)) writer.append(record);
  writer.close();
  appendFileSync(path, '{"kind":"note","at":3,"te');
  expect(readHistory(path)).toEqual(notes(3));
});
