import { expect, test } from 'vitest';
import { ownerOf, parseMasters } from './cluster-nodes.ts';

const TEXT = [
  'aa01 :7001@17001 myself,master - 0 1 1 connected 0-5460 5470 [5461->-bb02]',
  'bb02 127.0.0.1:7002@17002,host-2 master - 0 1 2 connected 5461-5469 5471-10922',
  'cc03 127.0.0.1:7003@17003 slave aa01 0 1 1 connected',
  'dd04 :0@0 master,noaddr - 0 1 3 disconnected 10923-16383',
  '',
].join('\n');

// LEDGER 18
test('masters that can be reached are listed with their slots, and a slot on its way belongs to its old owner', () => {
  const masters = parseMasters(TEXT, '127.0.0.1');
  expect(masters).toEqual([
    {
      id: 'aa01',
      host: '127.0.0.1',
      port: 7001,
      epoch: 1,
      slots: [
        [0, 5460],
        [5470, 5470],
      ],
    },
    {
      id: 'bb02',
      host: '127.0.0.1',
      port: 7002,
      epoch: 2,
      slots: [
        [5461, 5469],
        [5471, 10922],
      ],
    },
  ]);
  expect(ownerOf(masters, 5470)?.id).toBe('aa01');
  expect(ownerOf(masters, 5461)?.id).toBe('bb02');
  expect(ownerOf(masters, 12_000)).toBeUndefined();
});

test('what is no such list is refused', () => {
  expect(() => parseMasters('-ERR This instance has cluster support disabled', '')).toThrow(TypeError);
});
