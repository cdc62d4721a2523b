/** What `npm run drill` can be asked for. */
import { parseArgs } from 'node:util';

/** The ways stores are lost, in the order they are tried; each is told in docs/recovery.md. */
export const LOSSES = ['redis', 'postgres', 'both', 'both-without-files'] as const;

/** One of them. */
export type LossName = (typeof LOSSES)[number];

/** Whose processes are restarted, in this order. */
export const ROLES = ['serve', 'archive'] as const;

/** Shown when the arguments make no sense, and for `--help`. */
export const USAGE = `usage: npm run drill -- rolling [--roles serve,archive] [--rate N] [--seconds S] [--seed N]
                               [--json FILE] [--logs DIRECTORY]
       npm run drill -- restore [--losses ${LOSSES.join(',')}] [--writes N]
                               [--json FILE] [--logs DIRECTORY]

  rolling    restarts two serve and two archive processes one after the other, under load: no call may fail
  restore    loses the stores, restores them as docs/recovery.md says, and counts what is gone

  --roles    only processes of these; default both
  --rate     calls per second of all clients together; default 100
  --seconds  load before the first and after each restart; default 3
  --seed     what the load's chance follows from; default 1
  --writes   acknowledged writes before and after each backup; default 300
  --losses   only these
  --json     writes the report there, too
  --logs     where the processes' logs go; default .data/drill/rolling or restore

Starts its own stores in a temporary folder, and ends within two minutes. Exit code 0: everything held; 1: something did not;
2: the drill could not be carried out.`;

/** Bounds, so that a slip of the finger does not pass the time limit. */
const MOST_RATE = 2_000;
const MOST_SECONDS = 10;
const MOST_SEED = 999_999_999;
const MOST_WRITES = 5_000;

/** What both drills are told. */
interface CommonOptions {
  readonly jsonFile: string | undefined;
  readonly logDirectory: string;
  /** The command that does it again. */
  readonly command: string;
}

/** A rolling restart. */
export interface RollingOptions extends CommonOptions {
  readonly drill: 'rolling';
  readonly roles: readonly (typeof ROLES)[number][];
  readonly ratePerSecond: number;
  /** Load before the first and after each restart, ms. */
  readonly calmMs: number;
  readonly seed: number;
}

/** Losses and restores. */
export interface RestoreOptions extends CommonOptions {
  readonly drill: 'restore';
  readonly writes: number;
  readonly losses: readonly LossName[];
}

/** What to do. */
export type DrillOptions = RollingOptions | RestoreOptions | { readonly drill: 'help' };

/** Which options belong to which drill; `json` and `logs` to both. */
const OWN = { rolling: ['roles', 'rate', 'seconds', 'seed'], restore: ['writes', 'losses'] } as const;

type Values = Readonly<Record<string, string | boolean | undefined>>;

/** Reads the arguments behind the file name. Throws an Error with one line that says what is wrong with them. */
export function parseOptions(args: readonly string[]): DrillOptions {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      roles: { type: 'string' },
      rate: { type: 'string' },
      seconds: { type: 'string' },
      seed: { type: 'string' },
      writes: { type: 'string' },
      losses: { type: 'string' },
      json: { type: 'string' },
      logs: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { drill: 'help' };
  const [drill, extra] = positionals;
  if ((drill !== 'rolling' && drill !== 'restore') || extra !== undefined)
    throw new Error(`which drill: rolling or restore, not "${positionals.join(' ')}"`);
  refuseForeign(drill, values);
  const common = {
    jsonFile: values.json,
    logDirectory: values.logs ?? `.data/drill/${drill}`,
    command: ['npm run drill --', ...args].join(' '),
  };
  if (drill === 'rolling')
    return {
      drill,
      roles: parseNames('--roles', values.roles, ROLES),
      ratePerSecond: parseCount('--rate', values.rate ?? '100', MOST_RATE),
      calmMs: 1_000 * parseCount('--seconds', values.seconds ?? '3', MOST_SECONDS),
      seed: parseCount('--seed', values.seed ?? '1', MOST_SEED),
      ...common,
    };
  return {
    drill,
    writes: parseCount('--writes', values.writes ?? '300', MOST_WRITES),
    losses: parseNames('--losses', values.losses, LOSSES),
    ...common,
  };
}

function refuseForeign(drill: 'rolling' | 'restore', values: Values): void {
  const other = drill === 'rolling' ? 'restore' : 'rolling';
  for (const name of OWN[other])
    if (values[name] !== undefined) throw new Error(`--${name}: belongs to ${other}, not to ${drill}`);
}

function parseCount(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most)
    throw new Error(`${name}: a whole number from 1 to ${most}, not "${text}"`);
  return value;
}

/** Of a list with commas, in the order of `known`; all of them when there is none. */
function parseNames<Name extends string>(
  option: string,
  text: string | undefined,
  known: readonly Name[],
): readonly Name[] {
  if (text === undefined) return known;
  const names: readonly string[] = text.split(',');
  const unknown = names.find((name) => !known.some((one) => one === name));
  if (unknown !== undefined) throw new Error(`${option}: of ${known.join(', ')}, not "${unknown}"`);
  return known.filter((name) => names.includes(name));
}
