/** The level DURABLE with a real replica that stops listening. SPEC C4, LEDGER 13, F13 */
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../../tools/servers/redis-server.ts';
import {
  definitionOf,
  type FixtureOptions,
  isClaimed,
  type LedgerFixture,
  reasonOf,
  soon,
  startLedgerFixture,
} from '../ledger-fixture.ts';

const SETTINGS = { replicas: 1, commandTimeoutMs: 1_000 } as const;
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Replicated {
  readonly fixture: LedgerFixture;
  readonly replica: RedisServer;
  freeze(): void;
  thaw(): void;
}

async function start(options: FixtureOptions = {}): Promise<Replicated> {
  const fixture = await startLedgerFixture({ settings: { ...SETTINGS, ...options.settings } });
  closers.push(() => fixture.close());
  // Without a file of its own: redis-server refuses to end while it writes its first.
  const replica = await startRedisServer({ persistent: false });
  closers.push(() => replica.stop());
  const connection = new Redis(replica.url, { protocol: 2 });
  await connection.replicaof('127.0.0.1', fixture.server.port);
  connection.disconnect();
  await expect.poll(() => fixture.redis.info('replication'), { timeout: 20_000 }).toContain('state=online');
  await fixture.ledger.define(definitionOf({ quantity: 1_000 }), soon());
  await fixture.ledger.define(definitionOf({ ref: 2, id: 'fast', acknowledgement: 'fast' }), soon());
  const thaw = () => process.kill(replica.pid, 'SIGCONT');
  closers.push(() => Promise.resolve(void thaw()));
  return { fixture, replica, freeze: () => process.kill(replica.pid, 'SIGSTOP'), thaw };
}

const claim = (fixture: LedgerFixture, user: string, ref = 1) => fixture.claim({ user, request: 'r1', ref });

describe('a frozen replica', () => {
  it('leaves DURABLE claims unknown, those of a replay alone too, until it listens again', async () => {
    const { fixture, freeze, thaw } = await start();
    expect(await claim(fixture, 'ann')).toMatchObject({ acknowledgement: 'durable' });
    freeze();
    expect(reasonOf(await claim(fixture, 'bob'))).toBe('DURABILITY_UNMET');
    // Nothing new is written by these: what they answer with must be on the replica all the same.
    expect(reasonOf(await claim(fixture, 'bob'))).toBe('DURABILITY_UNMET');
    expect(await claim(fixture, 'cat', 2)).toMatchObject({ acknowledgement: 'fast' });
    expect(fixture.metrics.ledgerUnreplicatedCalls.value).toBeGreaterThanOrEqual(3);
    thaw();
    expect(await claim(fixture, 'bob')).toMatchObject({ acknowledgement: 'durable', isReplay: true });
  });

  it('shows in answer and metric where the operator chose to go on with less', async () => {
    const { fixture, freeze } = await start({ settings: { durabilityFallback: 'degrade' } });
    freeze();
    expect(await claim(fixture, 'ann')).toMatchObject({ acknowledgement: 'fast', isReplay: false });
    expect(await claim(fixture, 'ann')).toMatchObject({ acknowledgement: 'fast', isReplay: true });
    expect(fixture.metrics.ledgerUnreplicatedCalls.value).toBeGreaterThanOrEqual(2);
  });

  it('loses no DURABLE claim that was answered when it takes over', async () => {
    const { fixture, replica, freeze, thaw } = await start();
    const early = await Promise.all(
      Array.from({ length: 20 }, (_, index) => claim(fixture, `early-${index}`)),
    );
    freeze();
    const late = await Promise.all(Array.from({ length: 20 }, (_, index) => claim(fixture, `late-${index}`)));
    await fixture.server.kill();
    thaw();
    const next = new Redis(replica.url, { protocol: 2 });
    closers.push(() => Promise.resolve(next.disconnect()));
    await next.replicaof('NO', 'ONE');
    const kept = await next.keys('{p0}w:*');
    const acknowledged = [...early, ...late].filter((answer) => isClaimed(answer));
    expect(acknowledged).toHaveLength(20);
    for (let index = 0; index < 20; index += 1) expect(kept).toContain(`{p0}w:early-${index}`);
    // The gate of the old master does not hold for the new one: nothing is written before somebody looked.
    const open = await next.hget('{p0}meta', 'open');
    expect(await next.info('server')).not.toContain(`run_id:${open}`);
  });
});
