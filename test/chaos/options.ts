/** What `npm run chaos` can be asked for. */
import { parseArgs } from 'node:util';
import { FAULTS, PROVEN_ELSEWHERE } from './faults/matrix.ts';
import { TOPOLOGIES, type TopologyName } from './topology/redis-topology.ts';

/** Shown when the arguments make no sense. */
export const USAGE = `usage: npm run chaos -- [--seed N] [--minutes M] [--faults F5,F6] [--topology ${TOPOLOGIES.join('|')}]
                        [--report DIRECTORY] [--keep]
       npm run chaos -- --list [--markdown]

  --seed      what all chance follows from; default: the time of day
  --minutes   how long faults are injected, fractions allowed; default 1
  --faults    only these; also those that a run does not choose by itself
  --topology  one Redis; a master with a replica and sentinels; a cluster of six
  --report    where report.json, report.html, the history and the logs go; default .data/chaos/<topology>-<seed>
  --keep      leave the files of the stores there too
  --list      the fault matrix, and where each row is proven; --markdown as rows of a table`;

const MINUTE_MS = 60_000;
const SEED_RANGE = 1_000_000;
const LONGEST_MINUTES = 24 * 60;

/** A run. */
export interface RunOptions {
  readonly command: 'run';
  readonly seed: number;
  /** How long faults are injected, ms. */
  readonly faultsMs: number;
  /** Ids of the rows asked for; absent = all that fit. */
  readonly faultIds: ReadonlySet<string> | undefined;
  readonly topology: TopologyName;
  readonly reportDirectory: string;
  readonly keepsFiles: boolean;
}

/** The matrix, and nothing is started. */
export interface ListOptions {
  readonly command: 'list';
  readonly asMarkdown: boolean;
}

/** Reads the arguments. Throws an Error that says what is wrong with them. */
export function parseOptions(args: readonly string[], nowMs: number): RunOptions | ListOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      minutes: { type: 'string', default: '1' },
      faults: { type: 'string' },
      topology: { type: 'string', default: 'single' },
      report: { type: 'string' },
      keep: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
    },
  });
  if (values.list) return { command: 'list', asMarkdown: values.markdown };
  const seed = parseSeed(values.seed ?? String(nowMs % SEED_RANGE));
  const topology = TOPOLOGIES.find((name) => name === values.topology);
  if (topology === undefined) throw new Error(`--topology: one of ${TOPOLOGIES.join(', ')}`);
  return {
    command: 'run',
    seed,
    faultsMs: parseMinutes(values.minutes) * MINUTE_MS,
    faultIds: values.faults === undefined ? undefined : parseFaults(values.faults),
    topology,
    reportDirectory: values.report ?? `.data/chaos/${topology}-${seed}`,
    keepsFiles: values.keep,
  };
}

function parseSeed(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error('--seed: a whole number of at most nine digits');
  return Number(text);
}

function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (!(minutes > 0 && minutes <= LONGEST_MINUTES))
    throw new Error(`--minutes: more than 0 and at most ${LONGEST_MINUTES}`);
  return minutes;
}

function parseFaults(text: string): ReadonlySet<string> {
  const known = new Set(FAULTS.map(({ id }) => id));
  const ids = text.toUpperCase().split(',');
  for (const id of ids) {
    if (known.has(id)) continue;
    const elsewhere = PROVEN_ELSEWHERE.find((row) => row.id === id);
    throw new Error(
      elsewhere === undefined
        ? `--faults: there is no ${id}`
        : `--faults: ${id} is proven by ${elsewhere.by}`,
    );
  }
  return new Set(ids);
}
