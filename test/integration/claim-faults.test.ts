import { afterEach, describe, expect, it } from 'vitest';
import {
  definitionOf,
  type FixtureOptions,
  isClaimed,
  type LedgerFixture,
  reasonOf,
  soon,
  startLedgerFixture,
} from '../ledger-fixture.ts';
import { type LossyProxy, startLossyProxy } from '../lossy-proxy.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options: FixtureOptions = {}): Promise<LedgerFixture> {
  const fixture = await startLedgerFixture(options);
  closers.push(() => fixture.close());
  await fixture.ledger.define(definitionOf({ quantity: 1_000 }), soon());
  return fixture;
}

async function issued(fixture: LedgerFixture): Promise<number> {
  return Number(await fixture.redis.hget('{p0}d:1', 'issued'));
}

const users = (count: number): string[] => Array.from({ length: count }, (_, index) => `user-${index}`);

describe('a claim under faults', () => {
  it('is done once when its reply is lost (SPEC C3, L5)', async () => {
    let proxy: LossyProxy | undefined;
    const fixture = await start({
      through: async (port) => {
        proxy = await startLossyProxy(port);
        closers.push(async () => proxy?.close());
        return proxy.port;
      },
    });
    proxy?.loseReplies(3);
    const answers = await Promise.all(users(50).map((user) => fixture.claim({ user, request: 'r' })));
    expect(answers.map(reasonOf)).toEqual(users(50).map(() => 'claimed'));
    expect(await issued(fixture)).toBe(50);
    expect(proxy?.lost).toBe(3);
  });

  it('survives the loss of the script cache', async () => {
    const fixture = await start();
    await fixture.claim({ user: 'a', request: 'r' });
    await fixture.redis.script('FLUSH');
    expect(reasonOf(await fixture.claim({ user: 'b', request: 'r' }))).toBe('claimed');
  });

  it('survives the loss of its connection', async () => {
    const fixture = await start();
    const claims = users(200).map((user) => fixture.claim({ user, request: 'r' }));
    await fixture.redis.call('CLIENT', ['KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
    const answers = await Promise.all(claims);
    expect(answers.filter(isClaimed)).toHaveLength(200);
    expect(await issued(fixture)).toBe(200);
  });

  it('waits, within its deadline, for a server that was killed and for its gate (LEDGER 15)', async () => {
    const fixture = await start();
    await fixture.claim({ user: 'before', request: 'r' });
    await fixture.server.kill();
    const waiting = users(20).map((user) => fixture.claim({ user, request: 'r' }));
    await fixture.server.restart();
    await fixture.open();
    expect((await Promise.all(waiting)).map(reasonOf)).toEqual(users(20).map(() => 'claimed'));
    expect(await issued(fixture)).toBe(21);
  });

  it('is refused honestly while the gate stays closed, and nothing is written', async () => {
    const fixture = await start();
    await fixture.server.kill();
    await fixture.server.restart();
    const answer = await fixture.claim({ user: 'a', request: 'r', timeoutMs: 1_500 });
    expect(['LEDGER_CLOSED', 'LEDGER_UNAVAILABLE']).toContain(reasonOf(answer));
    await fixture.open();
    expect(await issued(fixture)).toBe(0);
  });

  it('fetches a definition the partition does not have, once for all who wait', async () => {
    let asked = 0;
    const fixture = await start({
      defineMissing: async (ref, ledger) => {
        asked += 1;
        if (ref !== 7) return false;
        await ledger.define(definitionOf({ ref: 7, id: 'late' }), soon());
        return true;
      },
    });
    const answers = await Promise.all(users(30).map((user) => fixture.claim({ user, request: 'r', ref: 7 })));
    expect(answers.map(reasonOf)).toEqual(users(30).map(() => 'claimed'));
    expect(asked).toBe(1);
    expect(reasonOf(await fixture.claim({ user: 'x', request: 'r', ref: 8 }))).toBe('PROMOTION_NOT_FOUND');
  });

  it('is refused before memory is at stake when the archive falls behind, but replays go on', async () => {
    const fixture = await start({ settings: { claimBacklogEvents: 10 } });
    const held = await fixture.claim({ user: 'early', request: 'r' });
    const answers = await Promise.all(users(20).map((user) => fixture.claim({ user, request: 'r' })));
    expect(answers.map(reasonOf)).toContain('ARCHIVE_BACKLOG');
    expect(await issued(fixture)).toBeLessThanOrEqual(10);
    expect(await fixture.claim({ user: 'early', request: 'r' })).toEqual({ ...held, isReplay: true });
    await fixture.admin.publishArchived((await fixture.admin.lastSeq()) ?? 0, 1_000);
    expect(reasonOf(await fixture.claim({ user: 'late', request: 'r' }))).toBe('claimed');
  });

  it('at the memory limit says so and writes nothing', async () => {
    const fixture = await start();
    const before = await issued(fixture);
    await fixture.redis.config('SET', 'maxmemory', '1');
    expect(reasonOf(await fixture.claim({ user: 'a', request: 'r' }))).toBe('LEDGER_OUT_OF_MEMORY');
    await fixture.redis.config('SET', 'maxmemory', '0');
    expect(await issued(fixture)).toBe(before);
  });

  it('is turned away at once when too many wait', async () => {
    const fixture = await start({ settings: { queueLimit: 5 } });
    const answers = await Promise.all(users(50).map((user) => fixture.claim({ user, request: 'r' })));
    expect(answers.map(reasonOf)).toContain('LEDGER_OVERLOADED');
    expect(answers.filter(isClaimed).length).toBe(await issued(fixture));
  });
});

describe('durability is read, never assumed', () => {
  it('a DURABLE claim is refused on a server that does not sync every write', async () => {
    const fixture = await start({ appendFsync: 'everysec' });
    expect(fixture.ledger.durability).toEqual({ isDurable: false, reason: 'appendfsync is everysec' });
    expect(reasonOf(await fixture.claim({ user: 'a', request: 'r' }))).toBe('DURABILITY_UNMET');
    expect(fixture.metrics.ledgerDurable.value).toBe(0);
  });

  it('where the operator chose to degrade, the answer says FAST', async () => {
    const fixture = await start({ appendFsync: 'everysec', settings: { durabilityFallback: 'degrade' } });
    expect(await fixture.claim({ user: 'a', request: 'r' })).toMatchObject({ acknowledgement: 'fast' });
  });

  it('a FAST promotion is claimed on any server', async () => {
    const fixture = await start({ appendFsync: 'everysec' });
    await fixture.ledger.define(definitionOf({ ref: 2, id: 'fast', acknowledgement: 'fast' }), soon());
    expect(await fixture.claim({ user: 'a', request: 'r', ref: 2 })).toMatchObject({
      acknowledgement: 'fast',
    });
  });
});
