/** What must hold when all faults are over and everything is settled. */
import { decodeEntry } from '../../../src/ledger/event-format.ts';
import { partitionKeys } from '../../../src/ledger/keys.ts';
import { bytesOf, unpack } from '../redis/bytes.ts';
import { Keyspace } from '../redis/keyspace.ts';
import { isUnknown } from '../schedule/clients.ts';
import type { Attempt, Told } from '../schedule/history.ts';
import type { World } from '../schedule/world.ts';
import { checkPromises } from './promises.ts';
import { applyEvent, dumpRecord, keyOf } from './shadow.ts';
import { hold, Violation } from './violation.ts';

const KEYS = partitionKeys(0);

/** The first promise that is broken, if any. */
export function checkEnd(world: World, history: readonly Told[], isAnswered: boolean): Violation | undefined {
  try {
    checkLiveness(world, history, isAnswered);
    checkFolds(world);
    checkStock(world);
    checkPromises(world, history);
    return undefined;
  } catch (error) {
    if (error instanceof Violation) return error;
    throw error;
  }
}

/** I16. */
function checkLiveness(world: World, history: readonly Told[], isAnswered: boolean): void {
  const { cursor } = world.postgres.archive;
  const last = world.site.redis.keyspace.stream(KEYS.stream)?.entries.at(-1)?.seq;
  hold('I16', world.isSettled(), () => `not settled: cursor ${cursor.seq}, newest entry ${last}`);
  const open = history.find(({ attempts }) => isOpen(world, attempts.at(-1)));
  hold('I16', open === undefined && isAnswered, () => `no answer to ${JSON.stringify(open)}`);
}

/** Where the ledger is not durable and writes are to be refused then, no asking helps. */
function isOpen(world: World, last: Attempt | undefined): boolean {
  if (last === undefined) return true;
  const isExpected = world.refusesWrites && last.kind === 'refused' && last.reason === 'DURABILITY_UNMET';
  return isUnknown(last) && !isExpected;
}

/** I6: the log, folded, is what Redis holds and what the archive's projections say. */
function checkFolds({ site, postgres }: World): void {
  const { archive } = postgres;
  const folded = new Keyspace();
  for (let seq = 0; seq <= archive.cursor.seq; seq += 1) {
    const payload = archive.log.get(seq);
    if (payload === undefined) throw new Violation('I7', `the log lacks entry ${seq}`);
    for (const event of decodeEntry(payload).events) applyEvent(folded, event, seq);
  }
  const { keyspace } = site.redis;
  const isRecord = (key: string): boolean => key !== KEYS.meta && key !== KEYS.stream;
  for (const key of new Set([...folded.allKeys(), ...keyspace.allKeys()].filter(isRecord))) {
    const [real, told] = [dumpRecord(keyspace, key), dumpRecord(folded, key)];
    hold('I6', real === told, () => `at the end ${key} holds ${real}, the log says ${told}`);
  }
  checkProjections(folded, archive);
}

function checkProjections(folded: Keyspace, archive: World['postgres']['archive']): void {
  for (const row of archive.coupons.values()) {
    const field = row.couponId.subarray(6).toString('latin1');
    const told = folded.field(KEYS.walletPrefix + row.userId, field);
    hold(
      'I6',
      told === bytesOf(row.value),
      () => `the archive's coupon ${row.couponId.toString('hex')} is another`,
    );
  }
  for (const { target, id, field, value } of archive.fields.values()) {
    // A wallet's mark follows from its coupons as well; the audit knows how.
    if (value === undefined || (target === 'wallet' && field.toString() === '@')) continue;
    const key = keyOf({ target, id });
    const told = folded.field(key, bytesOf(field));
    hold(
      'I6',
      told === bytesOf(value),
      () =>
        `the archive's field ${field.toString('latin1')} of ${key} is ${value.toString('hex')}, the log says ${told && Buffer.from(told, 'latin1').toString('hex')}`,
    );
  }
  for (const { promotionRef, issued } of archive.counters.values()) {
    const told = folded.field(KEYS.promotionPrefix + promotionRef, 'issued');
    hold(
      'I6',
      told === String(issued),
      () => `the archive counts ${issued} of promotion ${promotionRef}, the log ${told}`,
    );
  }
}

/** I2: what a promotion counts as issued is in wallets. */
function checkStock({ site, postgres }: World): void {
  const { keyspace } = site.redis;
  const held = new Map<number, number>();
  let coupons = 0;
  for (const key of keyspace.allKeys()) {
    if (!key.startsWith(KEYS.walletPrefix)) continue;
    for (const [field, value] of keyspace.hash(key) ?? []) {
      if (field.length !== 16) continue;
      const ref = unpack(value, 4, 4);
      held.set(ref, (held.get(ref) ?? 0) + 1);
      coupons += 1;
    }
  }
  for (const key of keyspace.allKeys()) {
    if (!key.startsWith(KEYS.promotionPrefix)) continue;
    const ref = Number(key.slice(KEYS.promotionPrefix.length));
    const issued = Number(keyspace.field(key, 'issued'));
    hold(
      'I2',
      issued === (held.get(ref) ?? 0),
      () => `promotion ${ref} counts ${issued} issued, wallets hold ${held.get(ref) ?? 0}`,
    );
  }
  const { size } = postgres.archive.coupons;
  hold('I2', size === coupons, () => `the archive has ${size} coupons, wallets ${coupons}`);
}
