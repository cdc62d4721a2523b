/** The benchmark's process edge: arguments, files, signals, exit code. 0: every bar cleared; 1: one was missed; 2: it could not run. */
import { writeFile } from 'node:fs/promises';
import { type BenchOptions, parseOptions, USAGE } from './options.ts';
import { renderPage } from './report/page.ts';
import { renderTable } from './report/table.ts';
import { runBenchmark } from './run.ts';

const EXIT_MISSED = 1;
const EXIT_FAILED = 2;

const stack = new AsyncDisposableStack();
/** What fails after a signal fails because of it, and is not worth a word. */
let isEnding = false;

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    isEnding = true;
    console.error(`${signal}: ending everything that was started`);
    void stack.disposeAsync().finally(() => process.exit(code));
  });
}

async function main(options: BenchOptions): Promise<number> {
  await using _everything = stack;
  const report = await runBenchmark(options, stack, (line) => console.error(line));
  if (options.jsonFile !== undefined)
    await writeFile(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
  if (options.htmlFile !== undefined) await writeFile(options.htmlFile, renderPage(report));
  console.log(renderTable(report));
  return report.passed ? 0 : EXIT_MISSED;
}

function readOptions(): BenchOptions | undefined {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return undefined;
  }
}

const options = readOptions();
try {
  process.exitCode = options === undefined ? EXIT_FAILED : await main(options);
} catch (error) {
  if (!isEnding) console.error(error);
  process.exitCode = EXIT_FAILED;
}
