import { describe, expect, test } from 'vitest';
import { parseTopologyAddress } from './topology-address.ts';

describe('the address of Redis', () => {
  test('is taken as it is where it names one server', () => {
    const address = parseTopologyAddress('rediss://user:word@redis.example:6380/2');
    expect(address).toMatchObject({ kind: 'single', seeds: ['rediss://user:word@redis.example:6380/2'] });
    expect(address.nodeUrl('elsewhere', 1)).toBe('rediss://user:word@redis.example:6380/2');
  });

  test('names nodes of a cluster, with credentials for all of them', () => {
    const address = parseTopologyAddress('rediss+cluster://u:p@one:7001,[::1]:7002,three');
    expect(address.kind).toBe('cluster');
    expect(address.seeds).toEqual([
      'rediss://u:p@one:7001',
      'rediss://u:p@[::1]:7002',
      'rediss://u:p@three:6379',
    ]);
    expect(address.nodeUrl('fe80::1', 7)).toBe('rediss://u:p@[fe80::1]:7');
  });

  test('names sentinels and their master, whose credentials sentinels are not given', () => {
    const address = parseTopologyAddress('redis+sentinel://:p@s1,s2:26380/ledger?sentinel-password=a%2Fb');
    expect(address).toMatchObject({ kind: 'sentinel', masterName: 'ledger' });
    expect(address.seeds).toEqual(['redis://:a%2Fb@s1:26379', 'redis://:a%2Fb@s2:26380']);
    expect(address.nodeUrl('host', 1)).toBe('redis://:p@host:1');
  });

  test.each([
    'http://redis',
    'redis+ring://a:1',
    'redis+cluster://:pw@',
    'redis+cluster://a:1/0',
    'redis+cluster://a:1,',
    'redis+cluster://a:0',
    'redis+cluster://a:70000',
    'redis+sentinel://a:1',
    'redis+sentinel://a:1/two words',
  ])('is refused without being repeated: %s', (text) => {
    expect(() => parseTopologyAddress(text)).toThrow(RangeError);
    expect(() => parseTopologyAddress(text)).not.toThrow(text);
  });
});
