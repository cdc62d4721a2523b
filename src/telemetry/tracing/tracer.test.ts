/** Who sends no traces pays for none. SPEC C8 */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SOURCES = new URL('../../', import.meta.url);
const OPEN_TELEMETRY = /@opentelemetry\/|\/open-telemetry\.ts/;

/** Starts tracing without and with a collector; gives what was loaded before each of these steps ended. */
function loadedInSteps(): string[][] {
  const script = `
    import { registerHooks } from 'node:module';
    let loaded = [];
    const steps = [];
    const nextStep = () => { steps.push(loaded); loaded = []; };
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    const { startTracing } = await import('${SOURCES}telemetry/tracing/tracer.ts');
    const settings = { headers: {}, serviceName: 'x', sampleRatio: 0, queueSpans: 128 };
    const ports = { build: { version: '1', node: '26' }, metrics: {}, logger: {} };
    if (await startTracing(settings, ports) !== undefined) throw new Error('there is a tracer');
    nextStep();
    await startTracing({ ...settings, endpoint: 'http://127.0.0.1:9' }, ports);
    nextStep();
    process.stdout.write(JSON.stringify(steps), () => process.exit(0));`;
  const parameters = ['--input-type=module', '--eval', script];
  const cwd = fileURLToPath(new URL('..', SOURCES));
  return JSON.parse(execFileSync(process.execPath, parameters, { encoding: 'utf8', cwd }));
}

test('nothing of OpenTelemetry is loaded unless there is a collector to send to', () => {
  const [without = [], after = []] = loadedInSteps();
  expect(without).toContain(`${SOURCES}telemetry/tracing/tracer.ts`);
  expect(without.filter((url) => OPEN_TELEMETRY.test(url))).toEqual([]);
  expect(after.join('\n')).toContain('@opentelemetry/sdk-trace');
});

test('no other file of the product imports it but for its types', () => {
  const folder = fileURLToPath(SOURCES);
  const importing = globSync('**/*.ts', { cwd: folder })
    .filter((path) => !path.endsWith('.test.ts'))
    .filter((path) =>
      [...readFileSync(`${folder}${path}`, 'utf8').matchAll(/^(import|export)\s[^;]*?from '([^']+)'/gm)].some(
        ([statement, , module = '']) =>
          OPEN_TELEMETRY.test(`/${module}`) && !/^(import|export) type\b/.test(statement),
      ),
    );
  expect(importing).toEqual(['telemetry/tracing/open-telemetry.ts']);
});
