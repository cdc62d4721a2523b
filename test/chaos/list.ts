/** The fault matrix as text: what is injected, what must be true, and what proves it. */
import type { Fault } from './faults/fault.ts';
import { FAULTS, PROVEN_ELSEWHERE } from './faults/matrix.ts';

interface Row {
  readonly id: string;
  readonly title: string;
  readonly does: string;
  readonly expects: string;
  readonly proof: string;
  readonly showed: string;
}

/** One line per row, or with `asMarkdown` the rows of a table. */
export function listMatrix(asMarkdown: boolean): string {
  const rows = [...FAULTS.map(injectedRow), ...elsewhereRows()].toSorted((left, right) =>
    left.id.localeCompare(right.id, 'en', { numeric: true }),
  );
  return asMarkdown ? markdown(rows) : rows.map(line).join('\n');
}

function injectedRow(fault: Fault): Row {
  const { id, title, does, expects, showed, topologies } = fault;
  return { id, title, does, expects, showed, proof: `\`npm run chaos\` (${topologies.join(', ')})` };
}

function elsewhereRows(): Row[] {
  return PROVEN_ELSEWHERE.map(({ id, title, expects, by }) => ({
    id,
    title,
    does: 'not a fault of chance',
    expects,
    proof: `\`${by}\``,
    showed: '',
  }));
}

function line({ id, title, proof }: Row): string {
  return `${id.padEnd(4)} ${title.padEnd(68)} ${proof.replaceAll('`', '')}`;
}

function markdown(rows: readonly Row[]): string {
  const cells = (row: readonly string[]): string =>
    `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    cells(['#', 'Fault', 'What is done', 'What must be true', 'Proven by', 'What runs showed']),
    '|---|---|---|---|---|---|',
    ...rows.map((row) => cells([row.id, row.title, row.does, row.expects, row.proof, row.showed])),
  ].join('\n');
}
