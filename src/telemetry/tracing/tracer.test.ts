/** Who sends no traces pays for none. SPEC C8 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SOURCES = new URL('../../', import.meta.url);
/** All of it but its interfaces, which the client of Prometheus loads for itself. */
const OPEN_TELEMETRY = /@opentelemetry\/(?!api\/)|\/open-telemetry\.ts/;

/** Starts tracing with these settings after loading both roles that can; gives what was loaded of OpenTelemetry. */
function loadedWith(endpoint: string | undefined): string[] {
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    await import('${SOURCES}roles/serve.ts');
    await import('${SOURCES}roles/archive.ts');
    const { startTracing } = await import('${SOURCES}telemetry/tracing/tracer.ts');
    const settings = { endpoint: ${JSON.stringify(endpoint)}, headers: {}, serviceName: 'x', sampleRatio: 0, queueSpans: 128 };
    const counter = { value: 0 };
    const ports = { build: { version: '1', node: '26' }, metrics: { traceSpans: { child: () => counter } } };
    const tracer = await startTracing(settings, ports);
    await tracer?.stop(0);
    process.stdout.write(JSON.stringify(loaded));
    process.exit(0);`;
  const parameters = ['--input-type=module', '--eval', script];
  const cwd = fileURLToPath(new URL('..', SOURCES));
  const loaded: string[] = JSON.parse(execFileSync(process.execPath, parameters, { encoding: 'utf8', cwd }));
  expect(loaded.length).toBeGreaterThan(100);
  return loaded.filter((url) => OPEN_TELEMETRY.test(url));
}

test('nothing of OpenTelemetry is loaded unless there is a collector to send to', () => {
  expect(loadedWith(undefined)).toEqual([]);
  expect(loadedWith('http://127.0.0.1:9').join('\n')).toContain('@opentelemetry/sdk-trace');
});
