import { expect, test } from 'vitest';
import { parseTraceParent } from './trace-parent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

// SPEC C8
test('a caller says which trace its call belongs to, and whether it is recorded', () => {
  const parent = { traceId: TRACE, spanId: SPAN };
  expect(parseTraceParent(`00-${TRACE}-${SPAN}-01`)).toEqual({ ...parent, isSampled: true });
  expect(parseTraceParent(`00-${TRACE}-${SPAN}-00`)).toEqual({ ...parent, isSampled: false });
  expect(parseTraceParent(`00-${TRACE}-${SPAN}-03`)).toEqual({ ...parent, isSampled: true });
});

test('a version to come may say more', () => {
  expect(parseTraceParent(`01-${TRACE}-${SPAN}-01-what-comes`)?.traceId).toBe(TRACE);
});

test.each([
  undefined,
  '',
  'nonsense',
  `00-${TRACE}-${SPAN}`,
  `00-${TRACE}-${SPAN}-01-more`,
  `ff-${TRACE}-${SPAN}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
])('%s says nothing', (header) => {
  expect(parseTraceParent(header)).toBeUndefined();
});
