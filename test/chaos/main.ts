/** The chaos runner's process edge: arguments, files, signals, exit code. 0: every promise kept; 1: one was broken; 2: it could not run. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listMatrix } from './list.ts';
import { type ListOptions, parseOptions, type RunOptions, USAGE } from './options.ts';
import { type ChaosReport, summaryLine } from './report/chaos-report.ts';
import { renderPage } from './report/page.ts';
import { runChaos } from './run.ts';

const EXIT_BROKEN = 1;
const EXIT_FAILED = 2;

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

async function main(options: RunOptions): Promise<number> {
  await using everything = stack;
  const startedMs = Date.now();
  const say = (line: string): void => {
    console.error(`${((Date.now() - startedMs) / 1_000).toFixed(1).padStart(7)} s  ${line}`);
  };
  const report = await runChaos(options, { stack: everything, signal: ending.signal, say });
  await writeReport(report, options.reportDirectory);
  for (const { promise, kind, text, evidence = [] } of report.breaches)
    console.error([`${promise} ${kind}: ${text}`, ...evidence].join('\n    '));
  for (const { id, title, reason } of report.skipped) console.log(`skipped ${id} ${title}: ${reason}`);
  console.log(summaryLine(report));
  console.log(`report: ${join(options.reportDirectory, 'report.html')}`);
  return report.passed ? 0 : EXIT_BROKEN;
}

async function writeReport(report: ChaosReport, directory: string): Promise<void> {
  await writeFile(join(directory, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(directory, 'report.html'), renderPage(report));
}

function readOptions(): RunOptions | ListOptions | undefined {
  try {
    return parseOptions(process.argv.slice(2), Date.now());
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return undefined;
  }
}

const options = readOptions();
try {
  if (options === undefined) process.exitCode = EXIT_FAILED;
  else if (options.command === 'list') console.log(listMatrix(options.asMarkdown));
  else process.exitCode = await main(options);
} catch (error) {
  // What fails after a signal fails because of it, and is not worth a word.
  if (!ending.signal.aborted) console.error(error);
  process.exitCode = EXIT_FAILED;
}
