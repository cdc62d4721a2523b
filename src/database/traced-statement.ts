/** Statements in spans: what they do and how they ended, never a value they carry. */
import { currentSpan } from '../telemetry/tracing/current-span.ts';
import { STATEMENT_CHARACTERS } from '../telemetry/tracing/limits.ts';
import type { Span, SpanStart } from '../telemetry/tracing/span.ts';
import { errorType } from '../telemetry/tracing/traced-work.ts';

const START: SpanStart = {
  name: 'postgres',
  kind: 'client',
  attributes: { 'db.system.name': 'postgresql' },
};

/** What a statement writes first; the `UPDATE` of locks and of conflicts is none. */
const WRITE = /(?<!FOR |FOR NO KEY |DO )\b(INSERT INTO|UPDATE|DELETE FROM|MERGE INTO)\s+([a-z_][a-z0-9_.]*)/i;
const READ = /\b(FROM)\s+([a-z_][a-z0-9_.]*)/i;

/** Runs a statement in a part of the span this code works for; just runs it when there is none. */
export function tracedStatement<Result>(run: () => PromiseLike<Result>): PromiseLike<Result> {
  const span = currentSpan()?.child(START);
  return span === undefined ? run() : recorded(span, run);
}

async function recorded<Result>(span: Span, run: () => PromiseLike<Result>): Promise<Result> {
  try {
    const result = await run();
    describe(span, textOfResult(result));
    return result;
  } catch (error) {
    describe(span, textOfError(error));
    span.fail(errorType(error));
    throw error;
  } finally {
    span.end();
  }
}

/** The driver keeps the text on what a statement answers: `$1` stands where values were. */
function textOfResult(result: unknown): string | undefined {
  const { statement } = Object(result);
  return typeof statement?.string === 'string' ? statement.string : undefined;
}

function textOfError(error: unknown): string | undefined {
  const { query } = Object(error);
  return typeof query === 'string' ? query : undefined;
}

function describe(span: Span, text: string | undefined): void {
  if (text === undefined) return;
  const [, verb = '', table = ''] = WRITE.exec(text) ?? READ.exec(text) ?? [];
  const operation = verb.toUpperCase() === 'FROM' ? 'SELECT' : (verb.split(' ')[0] ?? '').toUpperCase();
  if (operation !== '') {
    span.rename(`${operation} ${table}`);
    span.set('db.operation.name', operation);
    span.set('db.collection.name', table);
  }
  span.set('db.query.text', text.replace(/\s+/g, ' ').trim().slice(0, STATEMENT_CHARACTERS));
}
