/** Values for random calls. */
import type { LiveDefinition } from '../../../src/domain/live-definition.ts';
import { encodeFacts } from '../../../src/ledger/claim-operation.ts';
import type { Random } from '../time/random.ts';

/** A definition of a promotion, for about `nowMs`. */
export function randomDefinition(random: Random, nowMs: number, ref: number): LiveDefinition {
  const instant = (): number => nowMs + random.pick([-100_000, 100_000]);
  const sometimes = (value: number): number | undefined => (random.chance(0.2) ? value : undefined);
  const [claimStartMs, claimEndMs, perUserLimit] = [sometimes(instant()), sometimes(instant()), sometimes(2)];
  return {
    ref,
    id: '',
    version: random.whole(1, 4),
    state: random.pick(['active', 'active', 'active', 'inactive', 'finished', 'deleted']),
    claimable: random.chance(0.9),
    ...(claimStartMs !== undefined && { claimStartMs }),
    ...(claimEndMs !== undefined && { claimEndMs }),
    ...(perUserLimit !== undefined && { perUserLimit }),
    acknowledgement: random.pick(['fast', 'durable', 'ledger']),
    validity: random.pick([
      { kind: 'days', days: 3 },
      { kind: 'fixed', endMs: nowMs + 50_000 },
      { kind: 'fixed', startMs: nowMs + 50_000 },
      { kind: 'fixed', endMs: nowMs - 50_000 },
    ]),
    target: random.pick([
      { kind: 'everyone' },
      { kind: 'everyone' },
      { kind: 'new_users' },
      { kind: 'new_users', registeredWithinDays: 2 },
      { kind: 'tags', anyOf: ['gold', 'staff'] },
    ]),
    body: new Uint8Array(),
  };
}

/** Facts about a user, as scripts read them. */
export function randomFacts(random: Random, nowMs: number): Buffer {
  return encodeFacts({
    ...(random.chance(0.5) && { registeredAtMs: nowMs - random.whole(0, 4) * 86_400_000 }),
    ...(random.chance(0.5) && { ordersCompleted: random.whole(0, 1) }),
    tags: random.pick([[], ['gold'], ['silver', 'staff']]),
  });
}

/** A name that records have, or ought not to have. */
export function randomFieldName(random: Random): Buffer {
  return Buffer.from(
    random.pick([
      'n',
      'm',
      'x',
      '@',
      'issued',
      'received',
      'd',
      'a\0b',
      'archivedEvents',
      'h',
      '#\0\0\0\x01',
    ]),
    'latin1',
  );
}

/** Bytes that mean something somewhere, seldom where they are put. */
export function randomValue(random: Random): Buffer {
  const text = random.pick([
    '',
    '0',
    '7',
    '499',
    '-3',
    'abc',
    '1.5',
    '0x10',
    '1e3',
    '9007199254740993',
    '\xff\x00\xff',
    'v'.repeat(30),
  ]);
  return random.chance(0.2)
    ? Buffer.alloc(random.pick([8, 30, 45]), random.whole(0, 3))
    : Buffer.from(text, 'latin1');
}
