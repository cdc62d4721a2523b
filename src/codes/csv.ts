/** CSV as spreadsheets write it (RFC 4180): commas, quotes around what holds them, lines ended by LF or CRLF. */

/** A line of a file. A quoted value may span several; `line` is then the first of them, counted from 1. */
export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
}

/** A value, quoted or not, with the comma or line end that follows it. */
const CELL = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;

/** The lines of a file, empty ones left out; undefined when its quotes do not fit together. */
export function parseCsv(text: string): CsvRow[] | undefined {
  const rows: CsvRow[] = [];
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  let cells: string[] = [];
  let line = 1;
  let startedAt = 1;
  for (let at = 0; at < source.length; ) {
    CELL.lastIndex = at;
    const match = CELL.exec(source);
    if (match === null) return undefined;
    const [whole, quoted, plain = '', end = ''] = match;
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += whole.split('\n').length - 1;
    at = CELL.lastIndex;
    if (end === ',' && at < source.length) continue;
    if (cells.length > 1 || cells[0]?.trim() !== '') rows.push({ line: startedAt, cells });
    cells = [];
    startedAt = line;
  }
  return rows;
}
