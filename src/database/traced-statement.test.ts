import { expect, test } from 'vitest';
import { within } from '../telemetry/tracing/current-span.ts';
import { STATEMENT_CHARACTERS } from '../telemetry/tracing/limits.ts';
import type { Span } from '../telemetry/tracing/span.ts';
import { tracedStatement } from './traced-statement.ts';

/** What a span is told about a statement with this text that ends well, or with this error. */
async function told(text: string, error?: Error): Promise<Record<string, unknown>> {
  const facts: Record<string, unknown> = {};
  const span: Span = {
    traceId: '',
    spanId: '',
    child: () => span,
    link: () => {},
    rename: (name) => void Object.assign(facts, { name }),
    set: (name, value) => void Object.assign(facts, { [name]: value }),
    fail: (failure) => void Object.assign(facts, { failure }),
    end: () => {},
  };
  const result = Object.assign([{ phone: '138' }], { statement: { string: text } });
  const run = () => (error === undefined ? Promise.resolve(result) : Promise.reject(error));
  await within(span, async () => await tracedStatement(run)).catch(() => undefined);
  return facts;
}

// SPEC C8
test.each([
  ['SELECT id FROM promotion WHERE id = $1', 'SELECT promotion'],
  [
    'WITH cur AS (UPDATE ledger_cursor SET seq = $1 RETURNING 1) SELECT count(*) FROM cur',
    'UPDATE ledger_cursor',
  ],
  ['INSERT INTO webhook (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET seq = $2', 'INSERT webhook'],
  ['SELECT job FROM job_run WHERE job = $1 FOR UPDATE SKIP LOCKED', 'SELECT job_run'],
  ['DELETE FROM event_inbox WHERE id = $1', 'DELETE event_inbox'],
])('%s is called %s', async (text, name) => {
  const facts = await told(text);
  expect(facts['name']).toBe(name);
  expect(facts['db.query.text']).toBe(text);
});

// SPEC S3
test('neither rows nor the message of an error are told; a long text is cut', async () => {
  const error = Object.assign(new Error('key (138) exists'), {
    code: '23505',
    query: 'SELECT 1 FROM profile',
  });
  expect(JSON.stringify([await told('SELECT 1 FROM profile'), await told('', error)])).not.toContain('138');
  expect((await told('', error))['failure']).toBe('23505');
  const long = await told(`SELECT ${'a, '.repeat(STATEMENT_CHARACTERS)} b FROM t`);
  expect(String(long['db.query.text'])).toHaveLength(STATEMENT_CHARACTERS);
});
