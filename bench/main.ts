/** The benchmark's command: files and what is printed. It holds when every bar was cleared. */
import { writeFile } from 'node:fs/promises';
import { runAsProcess } from '../tools/command-edge.ts';
import { parseOptions, USAGE } from './options.ts';
import { renderPage } from './report/page.ts';
import { renderTable } from './report/table.ts';
import { runBenchmark } from './run.ts';

await runAsProcess({
  usage: USAGE,
  parse: parseOptions,
  async run(options, { stack, say }) {
    const report = await runBenchmark(options, stack, say);
    if (options.jsonFile !== undefined)
      await writeFile(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
    if (options.htmlFile !== undefined) await writeFile(options.htmlFile, renderPage(report));
    console.log(renderTable(report));
    return report.passed;
  },
});
