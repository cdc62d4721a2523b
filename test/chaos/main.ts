/** The chaos runner's command: files and what is printed. It holds when every promise was kept. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runAsProcess, type Surroundings, sayWithSeconds } from '../../tools/command-edge.ts';
import { listMatrix } from './list.ts';
import { parseOptions, type RunOptions, USAGE } from './options.ts';
import { type ChaosReport, summaryLine } from './report/chaos-report.ts';
import { renderPage } from './report/page.ts';
import { runChaos } from './run.ts';

async function run(options: RunOptions, { stack, signal, say }: Surroundings): Promise<boolean> {
  const report = await runChaos(options, { stack, signal, say: sayWithSeconds(say) });
  await writeReport(report, options.reportDirectory);
  for (const { promise, kind, text, evidence = [] } of report.breaches)
    console.error([`${promise} ${kind}: ${text}`, ...evidence].join('\n    '));
  for (const { id, title, reason } of report.skipped) console.log(`skipped ${id} ${title}: ${reason}`);
  console.log(summaryLine(report));
  console.log(`report: ${join(options.reportDirectory, 'report.html')}`);
  return report.passed;
}

async function writeReport(report: ChaosReport, directory: string): Promise<void> {
  await writeFile(join(directory, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(directory, 'report.html'), renderPage(report));
}

await runAsProcess({
  usage: USAGE,
  parse: (args) => parseOptions(args, Date.now()),
  async run(options, surroundings) {
    if (options.command !== 'list') return await run(options, surroundings);
    console.log(listMatrix(options.asMarkdown));
    return true;
  },
});
