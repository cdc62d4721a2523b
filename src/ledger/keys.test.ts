import { describe, expect, test } from 'vitest';
import { homePartition, PARTITION_COUNTS, partitionKeys, partitionOf, partitionSlot } from './keys.ts';

const SLOTS = 16_384;

describe('partitions', () => {
  // LEDGER 8: whatever the number of masters, each gets its share of the partitions.
  test.each(PARTITION_COUNTS)('%i lie evenly over the slots of a cluster', (partitions) => {
    const slots = Array.from({ length: partitions }, (_, partition) => partitionSlot(partition));
    for (const masters of [1, 2, 3, 4, 5, 6, 8, 16, 32]) {
      const held = new Array<number>(masters).fill(0);
      for (const slot of slots) {
        const master = Math.floor((slot * masters) / SLOTS);
        held[master] = (held[master] ?? 0) + 1;
      }
      expect(Math.max(...held)).toBeLessThanOrEqual(Math.ceil(partitions / masters) + (masters > 1 ? 1 : 0));
    }
  });

  test('have one slot each, which is the one Redis Cluster works out', () => {
    const all = Array.from({ length: 64 }, (_, partition) => partitionSlot(partition));
    expect(new Set(all).size).toBe(64);
    // As CLUSTER KEYSLOT says.
    expect(partitionSlot(0)).toBe(15_882);
    expect(partitionKeys(0).stream).toBe('{p0}stream');
  });

  test('share the users evenly, also those whose names differ little', () => {
    for (const name of [
      (user: number) => `u${user}`,
      (user: number) => `user-${user * 2}`,
      (user: number) => `${user}@x`,
    ]) {
      const counts = new Array<number>(16).fill(0);
      for (let user = 0; user < 16_000; user += 1) {
        const partition = partitionOf(name(user), 16);
        counts[partition] = (counts[partition] ?? 0) + 1;
      }
      expect(Math.min(...counts)).toBeGreaterThan(850);
      expect(Math.max(...counts)).toBeLessThan(1_150);
    }
  });

  test('of a user and of a pool never change within a generation', () => {
    // Changing these figures moves every user of every ledger in use: it needs a rebuild.
    expect(['ann', 'user-1', 'A.b:c@d-e_f'].map((user) => partitionOf(user, 64))).toMatchInlineSnapshot(`
      [
        48,
        55,
        17,
      ]
    `);
    expect([0, 1, 17].map((ref) => homePartition(ref, 16))).toEqual([0, 1, 1]);
    expect(partitionOf('ann', 1)).toBe(0);
    expect(() => partitionKeys(4, 4)).toThrow(RangeError);
  });
});
