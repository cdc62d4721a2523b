/**
 * `npm run simulate:scaling`: how many pods a load gets under the rules of `k8s/overlays`, and what that does to its calls.
 * `--measure` measures the service first and keeps the figures; `--json FILE` writes everything, time lines too.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureService } from './measure-service.ts';
import { studyTables } from './scaling-page.ts';
import { studyScaling } from './scaling-study.ts';
import { MEASURED_FILE, readMeasured } from './service-costs.ts';

const { values } = parseArgs({
  options: { measure: { type: 'boolean', default: false }, json: { type: 'string' } },
});

if (values.measure) {
  const measured = await measureService((line) => console.error(line));
  writeFileSync(MEASURED_FILE, `${JSON.stringify(measured, undefined, 2)}\n`);
  console.error(`written to ${MEASURED_FILE}; npm run format and npm run generate bring the docs up to date`);
}
const study = studyScaling(readMeasured());
if (values.json !== undefined)
  writeFileSync(join(process.cwd(), values.json), `${JSON.stringify(study, undefined, 2)}\n`);
console.log(studyTables(study));
