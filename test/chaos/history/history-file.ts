/** Histories in files: one JSON line a record, written as they come, readable after the writer was killed. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { HistoryRecord, HistorySink } from './history.ts';

/** Characters kept back before they are written: about 300 records. */
const FLUSH_CHARACTERS = 65_536;

/** Appends records to a file. Call `close` in a `finally`: up to 64 KiB wait in memory. */
export class HistoryWriter implements HistorySink {
  private readonly file: number;
  private lines = '';

  /** Opens the file, and makes it when there is none. */
  constructor(path: string) {
    this.file = openSync(path, 'a');
  }

  /** Adds one record. */
  append(record: HistoryRecord): void {
    this.lines += `${JSON.stringify(record)}\n`;
    if (this.lines.length >= FLUSH_CHARACTERS) this.flush();
  }

  /** Writes what waits; throws when the disk refuses it. */
  flush(): void {
    const bytes = Buffer.from(this.lines);
    this.lines = '';
    for (let written = 0; written < bytes.length; ) written += writeSync(this.file, bytes, written);
  }

  /** Writes what waits and closes the file. */
  close(): void {
    this.flush();
    closeSync(this.file);
  }
}

/** Keeps records in memory: for short runs and tests. */
export class HistoryMemory implements HistorySink {
  readonly records: HistoryRecord[] = [];

  /** Adds one record. */
  append(record: HistoryRecord): void {
    this.records.push(record);
  }
}

/** Reads a file of records; a last line that was cut short is left out. Throws on any other line that is no JSON. */
export function readHistory(path: string): HistoryRecord[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  // What follows the last line's end is empty, or was being written when the writer was killed.
  lines.pop();
  return lines.map((line): HistoryRecord => JSON.parse(line));
}
