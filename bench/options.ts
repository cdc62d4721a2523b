/** The command line of the benchmark. */
import { parseArgs } from 'node:util';

/**
 * `claim` measures everything about claims; `flush` only how fast claims reach Postgres; `evaluate` everything about the
 * evaluation of carts; `overload` what is left of the claims when three times as many come as can be answered; `tracing` what traces
 * cost a claim; `sizes` what operations leave in the stores; `all` is all of them but the last three.
 */
export const BENCH_COMMANDS = ['claim', 'flush', 'evaluate', 'overload', 'tracing', 'sizes', 'all'] as const;

/** What can be measured. */
export type BenchCommand = (typeof BENCH_COMMANDS)[number];

/** What Redis runs as. `cluster` measures claims of one hot promotion by partitions and masters, and nothing else. */
export const BENCH_TOPOLOGIES = ['single', 'cluster'] as const;

/** One of them. */
export type BenchTopology = (typeof BENCH_TOPOLOGIES)[number];

/** What to run and where to write it. */
export interface BenchOptions {
  readonly command: BenchCommand;
  readonly topology: BenchTopology;
  readonly rounds: number;
  /** Length of one measured window. */
  readonly seconds: number;
  /** A short run to see that everything works: its figures are printed, the bars for speed are not held against it. */
  readonly quick: boolean;
  readonly jsonFile?: string;
  readonly htmlFile?: string;
}

/** Bounds of what may be asked for, so that a slip of the finger does not block a machine for a day. */
const MAX_ROUNDS = 20;
const MAX_SECONDS = 120;

const DEFAULTS = { rounds: 3, seconds: 8 };
const QUICK = { rounds: 1, seconds: 2 };

/** How the benchmark is called. */
export const USAGE =
  'npm run bench -- claim|flush|evaluate|overload|tracing|sizes|all [--topology single|cluster] [--json FILE] [--html FILE] [--rounds N] [--seconds S] [--quick]';

/** Reads the arguments behind the file name; throws with one line that says what is wrong. */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const { positionals, values } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      html: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      topology: { type: 'string', default: 'single' },
    },
  });
  const command = parseCommand(positionals);
  const defaults = values.quick ? QUICK : DEFAULTS;
  return {
    command,
    topology: parseTopology(values.topology, command),
    rounds: parseCount('--rounds', values.rounds, MAX_ROUNDS) ?? defaults.rounds,
    seconds: parseCount('--seconds', values.seconds, MAX_SECONDS) ?? defaults.seconds,
    quick: values.quick,
    ...(values.json === undefined ? {} : { jsonFile: values.json }),
    ...(values.html === undefined ? {} : { htmlFile: values.html }),
  };
}

function parseCommand(positionals: readonly string[]): BenchCommand {
  const [name, extra] = positionals;
  const command = BENCH_COMMANDS.find((known) => known === name);
  if (command === undefined || extra !== undefined) {
    throw new Error(`what to measure: ${BENCH_COMMANDS.join(', ')}, not "${positionals.join(' ')}"`);
  }
  return command;
}

function parseTopology(text: string, command: BenchCommand): BenchTopology {
  const topology = BENCH_TOPOLOGIES.find((known) => known === text);
  if (topology === undefined) throw new Error(`--topology: ${BENCH_TOPOLOGIES.join(', ')}, not "${text}"`);
  if (topology === 'cluster' && command !== 'claim')
    throw new Error(`--topology cluster: only claim is measured on a cluster, not ${command}`);
  return topology;
}

function parseCount(name: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new Error(`${name}: a whole number from 1 to ${max}, not "${text}"`);
  }
  return value;
}
