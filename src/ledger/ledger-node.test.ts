import { Redis } from 'ioredis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LedgerNode } from './ledger-node.ts';

const INFO = 'aof_enabled:1\r\naof_last_write_status:ok\r\n';
const SETTINGS = ['appendonly', 'yes', 'appendfsync', 'always'];
const nodes: LedgerNode[] = [];
afterEach(() => {
  for (const node of nodes.splice(0)) node.close();
});

/** A server that answers CONFIG with these errors first, in turn; undefined: as it should. */
function nodeOn(errors: readonly (string | undefined)[]): { node: LedgerNode; heard: boolean[] } {
  const heard: boolean[] = [];
  const left = [...errors];
  const node = new LedgerNode({
    connect: () => {
      const redis = new Redis({ lazyConnect: true });
      vi.spyOn(redis, 'info').mockImplementation(async () => INFO);
      vi.spyOn(redis, 'call').mockImplementation(async () => {
        const error = left.shift();
        if (error !== undefined) throw new Error(error);
        return SETTINGS;
      });
      return redis;
    },
    claimConnections: 1,
    transactionConnections: 1,
    isFsyncVouchedFor: false,
    onDurability: ({ isDurable }) => heard.push(isDurable),
  });
  nodes.push(node);
  return { node, heard };
}

// SPEC C4
describe('what a server keeps', () => {
  it('is read again soon when it could not be read at first', async () => {
    const { node, heard } = nodeOn(['Command timed out', 'LOADING Redis is loading the dataset in memory']);
    await node.checkDurability();
    expect(node.durability.isDurable).toBe(false);
    await expect.poll(() => node.durability.isDurable).toBe(true);
    expect(heard).toEqual([true]);
  });

  it('stays what is known while it cannot be read', async () => {
    const { node, heard } = nodeOn([undefined, 'Connection is closed.']);
    await node.checkDurability();
    await node.checkDurability();
    expect(node.durability.isDurable).toBe(true);
    expect(heard).toEqual([true]);
  });

  it('is not known to be durable where the server does not tell and never will', async () => {
    const { node, heard } = nodeOn(['NOPERM this user has no permissions to run the config command']);
    await node.checkDurability();
    expect(node.durability.reason).toBe('appendfsync is not readable');
    expect(heard).toEqual([false]);
  });
});
