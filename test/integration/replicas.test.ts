/** The level DURABLE with a real replica that stops listening. SPEC C4, LEDGER 13, F13 */
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeCouponValue, encodeCouponValue } from '../../src/domain/coupon.ts';
import { couponFieldHex } from '../../src/ledger/coupon-field.ts';
import { walletOf } from '../../src/ledger/transaction.ts';
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

/** Long enough for an attempt that waits for replicas in vain. */
const briefly = (): number => Date.now() + 2 * SETTINGS.commandTimeoutMs;

/** A coupon that can be hidden; answers with its field. */
async function usedCoupon(fixture: LedgerFixture, user: string): Promise<string> {
  const answer = await claim(fixture, user);
  if (!isClaimed(answer)) throw new Error(answer.reason);
  const fieldHex = couponFieldHex('claim', user, 'r1');
  const field = Buffer.from(fieldHex, 'hex');
  const on = walletOf(user);
  const [wallet] = await fixture.ledger.read(soon(), (reads) => reads.records([on]));
  const coupon = decodeCouponValue(wallet?.get(field.toString('latin1')) ?? Buffer.alloc(0));
  const value = Buffer.from(encodeCouponValue({ ...coupon, state: 'revoked' }));
  const steps = [{ kind: 'set', on, field, value } as const];
  await fixture.ledger.transact({ event: 'revoked', opensNew: false, steps }, soon());
  return fieldHex;
}

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

  it('leaves definitions and hidden coupons unknown until it listens again (LEDGER 9)', async () => {
    const { fixture, replica, freeze, thaw } = await start();
    const { ledger } = fixture;
    const ended = { version: 2, quantity: 1_000, state: 'finished' } as const;
    const fieldHex = await usedCoupon(fixture, 'ann');
    freeze();
    const attempts = [ledger.define(definitionOf(ended), briefly()), ledger.hide('ann', fieldHex, briefly())];
    for (const attempt of await Promise.allSettled(attempts))
      expect(attempt).toMatchObject({ status: 'rejected', reason: { reason: 'LEDGER_UNAVAILABLE' } });
    thaw();
    expect(await ledger.hide('ann', fieldHex, soon())).toMatchObject({ hidden: true });
    // The version is on the first server since the attempt that nobody could vouch for.
    expect(await ledger.define(definitionOf(ended), soon())).toMatchObject({ applied: false });
    const next = new Redis(replica.url, { protocol: 2 });
    closers.push(() => Promise.resolve(next.disconnect()));
    const stored = await next.hgetBuffer('{p0}d:1', 'd');
    expect(stored?.readUInt32BE(3)).toBe(2);
  });

  it('does not stop definitions and hidden coupons where the operator chose to go on with less', async () => {
    const { fixture, freeze } = await start({ settings: { durabilityFallback: 'degrade' } });
    const fieldHex = await usedCoupon(fixture, 'ann');
    freeze();
    const definition = definitionOf({ version: 2, quantity: 1_000 });
    expect(await fixture.ledger.define(definition, soon())).toMatchObject({ applied: true });
    expect(await fixture.ledger.hide('ann', fieldHex, soon())).toMatchObject({ hidden: true });
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
