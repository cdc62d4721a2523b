import { expect, test } from 'vitest';
import { capTimeouts } from './timeouts.ts';

test.each([
  ['connect-timeout-ms', '30001', '30000'],
  ['connect-timeout-ms', '9999999999', '30000'],
  ['connect-timeout-ms', '30000', '30000'],
  ['connect-timeout-ms', '99999999999', '99999999999'],
  ['connect-timeout-ms', 'soon', 'soon'],
  ['grpc-timeout', '31S', '30000m'],
  ['grpc-timeout', '99999999H', '30000m'],
  ['grpc-timeout', '30S', '30S'],
  ['grpc-timeout', '99999999u', '30000m'],
  ['grpc-timeout', '99999999n', '99999999n'],
  ['grpc-timeout', '1 S', '1 S'],
])('%s %s becomes %s', (name, given, expected) => {
  const headers = { [name]: given };
  capTimeouts(headers, 30_000);
  expect(headers).toEqual({ [name]: expected });
});

test('no timeout stays none', () => {
  const headers = {};
  capTimeouts(headers, 30_000);
  expect(headers).toEqual({});
});
