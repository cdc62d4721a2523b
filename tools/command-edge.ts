/**
 * The process edge of a command that starts processes of its own: arguments, signals, exit code. 0: everything held; 1: something
 * did not; 2: it could not run. Whatever was started is ended, however it ends.
 */

const EXIT_BROKEN = 1;
const EXIT_FAILED = 2;

/** What a command is given to work with. */
export interface Surroundings {
  /** What is to be ended when the command ends. */
  readonly stack: AsyncDisposableStack;
  /** Aborts at SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Tells how far it is, on stderr. */
  say(line: string): void;
}

/** A command. */
export interface Command<Options> {
  readonly usage: string;
  /** Throws an Error with one line that says what is wrong with the arguments. */
  parse(args: readonly string[]): Options;
  /** Whether everything held. */
  run(options: Options, surroundings: Surroundings): Promise<boolean>;
}

/**
 * Runs a command on this process's arguments and ends the process with its exit code. It is not left to end by itself: node 26 may turn for ever
 * in the closing of sockets nobody closed, as it did after runs with six Redis nodes, all of which had ended.
 */
export async function runAsProcess<Options>(command: Command<Options>): Promise<void> {
  const stack = new AsyncDisposableStack();
  const ending = new AbortController();
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      console.error(`${signal}: ending everything that was started`);
      ending.abort();
      void stack.disposeAsync().finally(() => process.exit(code));
    });
  }
  const code = await exitCodeOf(command, stack, ending.signal);
  // After a signal the process ends with the code of that, once everything has ended.
  if (!ending.signal.aborted) process.exit(code);
}

async function exitCodeOf<Options>(
  command: Command<Options>,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<number> {
  try {
    const options = parsed(command);
    if (options === undefined) return EXIT_FAILED;
    return (await carryOut(command, options.value, stack, signal)) ? 0 : EXIT_BROKEN;
  } catch (error) {
    // What fails after a signal fails because of it, and is not worth a word.
    if (!signal.aborted) console.error(error);
    return EXIT_FAILED;
  }
}

async function carryOut<Options>(
  command: Command<Options>,
  options: Options,
  stack: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<boolean> {
  await using everything = stack;
  return await command.run(options, { stack: everything, signal, say: (line) => console.error(line) });
}

function parsed<Options>({ usage, parse }: Command<Options>): { readonly value: Options } | undefined {
  try {
    return { value: parse(process.argv.slice(2)) };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return undefined;
  }
}

/** Says each line behind the seconds since now. */
export function sayWithSeconds(say: (line: string) => void): (line: string) => void {
  const startedMs = Date.now();
  return (line) => say(`${((Date.now() - startedMs) / 1_000).toFixed(1).padStart(7)} s  ${line}`);
}
