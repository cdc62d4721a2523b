import { beforeEach, describe, expect, test } from 'vitest';
import { Refusal } from '../../domain/refusal.ts';
import { currentSpan, within } from './current-span.ts';
import type { Span, SpanStart } from './span.ts';
import { errorType, sharedSpan, sharedWork, tracedWork } from './traced-work.ts';

const START = (): SpanStart => ({ name: 'part', kind: 'internal', attributes: {} });
let said: string[];

beforeEach(() => {
  said = [];
});

/** A span that writes down what it is told. */
function spanNamed(name: string, mayHaveParts = true): Span {
  return {
    traceId: name,
    spanId: name,
    child: (start) => (mayHaveParts ? spanNamed(`${name}/${start.name}`) : undefined),
    link: (other) => void said.push(`${name} links ${other.spanId}`),
    rename: (to) => void said.push(`${name} is ${to}`),
    set: (fact, value) => void said.push(`${name} ${fact}=${value}`),
    fail: (type) => void said.push(`${name} fails: ${type}`),
    end: () => void said.push(`${name} ends`),
  };
}

describe('work of one', () => {
  test('is a part of the span it is done for, also after it waited', async () => {
    const work = async (): Promise<string | undefined> => {
      await new Promise((resolve) => setImmediate(resolve));
      return currentSpan()?.spanId;
    };
    expect(await within(spanNamed('call'), () => tracedWork(START, work))).toBe('call/part');
    expect(said).toEqual(['call/part ends']);
    expect(currentSpan()).toBeUndefined();
  });

  test('fails with a word, never with a message', async () => {
    const failing = () => Promise.reject(new Refusal('SOLD_OUT', 'nothing is left for Alice'));
    const done = within(spanNamed('call'), () => tracedWork(START, failing));
    await expect(done).rejects.toThrow('Alice');
    expect(said).toEqual(['call/part fails: SOLD_OUT', 'call/part ends']);
    expect(errorType(Object.assign(new Error('duplicate key (alice)'), { code: '23505' }))).toBe('23505');
    expect(errorType(new TypeError('alice'))).toBe('TypeError');
  });
});

describe('work of several', () => {
  test('is part of the first of them and linked with each other one, once', () => {
    const [one, two, three] = [spanNamed('one'), spanNamed('two'), spanNamed('three')];
    const waiting = [{}, { span: one }, { span: two }, { span: one }, { span: undefined }, { span: three }];
    expect(sharedSpan(waiting, START)?.spanId).toBe('one/part');
    expect(said).toEqual([
      'one/part links two',
      'two links one/part',
      'one/part links three',
      'three links one/part',
    ]);
  });

  test('goes to the next one when the first has had its fill', () => {
    const full = spanNamed('full', false);
    expect(sharedSpan([{ span: full }, { span: spanNamed('next') }], START)?.spanId).toBe('next/part');
  });

  test('is of nobody when nobody is recorded, whatever it is called from', async () => {
    const work = async () => currentSpan();
    expect(await within(spanNamed('stranger'), () => sharedWork([{}], START, work))).toBeUndefined();
  });
});
