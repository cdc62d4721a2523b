/** I3 and I12: what clients were told is what happened, and what they were refused did not. */
import { parseCouponId } from '../../../src/domain/coupon.ts';
import { decodeRedemption } from '../../../src/domain/redemption.ts';
import { REASONS } from '../../../src/domain/refusal.ts';
import { couponFieldHex } from '../../../src/ledger/coupon-field.ts';
import { decodeEntry, type LedgerEvent } from '../../../src/ledger/event-format.ts';
import { endings } from '../../../src/redemption/request-ids.ts';
import { bufferOf } from '../redis/bytes.ts';
import type { Attempt, Told } from '../schedule/history.ts';
import type { Operation } from '../schedule/plan.ts';
import type { World } from '../schedule/world.ts';
import { refOf } from '../world/shop.ts';
import { hold } from './violation.ts';

const VERSIONS_MAX = 40;

/** Names of effects that events tell. */
function effectsOf({ kind, writes }: LedgerEvent): string[] {
  return writes.flatMap(({ target, id, fields }) =>
    fields.flatMap(({ field, value }): string[] => {
      const name = field.toString('latin1');
      if (target === 'wallet' && field.length === 16) {
        const coupon = `coupon ${id} ${field.toString('hex')}`;
        return kind === 'hidden' ? [`hidden ${id} ${field.toString('hex')}`] : [coupon];
      }
      if (target === 'promotion' && name === 'd') return [`version ${id} ${value?.readUInt32BE(3)}`];
      if (target !== 'order' || value === undefined) return [];
      if (name.startsWith('r:')) return [`return ${id} ${name.slice(2)}`];
      if (name !== 'h') return [];
      const head = decodeRedemption(value);
      const ended = endings(head.requests).map(({ requestId, call }) => `${call} ${id} ${requestId}`);
      return [`hold ${id} ${head.requestId}`, `${head.state} ${id}`, ...ended];
    }),
  );
}

function effectsOfLog(payloads: Iterable<Buffer>): Set<string> {
  const effects = new Set<string>();
  for (const payload of payloads)
    for (const event of decodeEntry(payload).events)
      for (const effect of effectsOf(event)) effects.add(effect);
  return effects;
}

/** Effects of which one must be there when the operation was answered with OK. */
function promised(operation: Operation, { couponId, version }: Extract<Attempt, { kind: 'ok' }>): string[] {
  const fieldHex = parseCouponId(couponId ?? '')?.fieldHex;
  switch (operation.kind) {
    case 'claim':
    case 'grant':
      return [`coupon ${operation.user} ${fieldHex}`];
    case 'hide':
      return [`hidden ${operation.user} ${fieldHex}`];
    case 'change':
      // A later version may have come first.
      return versionsFrom(version ?? 0).map((later) => `version ${refOf(operation.promotion)} ${later}`);
    case 'sweep':
      return [];
    default:
      return orderEffects(operation);
  }
}

/** Numbers of versions that a schedule may come to. */
function versionsFrom(version: number): number[] {
  return Array.from({ length: VERSIONS_MAX - version }, (_, index) => version + index);
}

function orderEffects(operation: Extract<Operation, { order: string }>): string[] {
  const id = `${operation.user}/${operation.order}`;
  switch (operation.kind) {
    case 'hold':
    case 'return':
      return [`${operation.kind} ${id} ${operation.request}`];
    case 'commit':
      return [`committed ${id}`];
    case 'release':
      return [`released ${id}`, `expired ${id}`];
  }
}

/** The effect that must not be there when every attempt was refused for good; undefined where that cannot be told. */
function refusedEffect(operation: Operation): string | undefined {
  switch (operation.kind) {
    case 'claim':
    case 'grant':
      return `coupon ${operation.user} ${couponFieldHex(operation.kind, operation.user, operation.request)}`;
    case 'hold':
    case 'commit':
    case 'release':
    case 'return':
      return `${operation.kind} ${operation.user}/${operation.order} ${operation.request}`;
    default:
      return undefined;
  }
}

function promotionOf(operation: Operation): string | undefined {
  return 'promotion' in operation ? operation.promotion : undefined;
}

/** Throws the first broken promise. */
export function checkPromises(world: World, history: readonly Told[]): void {
  const effects = effectsOfLog(world.postgres.archive.log.values());
  const losses = world.watch.losses.map(({ atMs, cause, entries }) => {
    return { atMs, cause, effects: effectsOfLog(entries.map(({ payload }) => bufferOf(payload))) };
  });
  for (const told of history) {
    for (const attempt of told.attempts) {
      if (attempt.kind !== 'ok') continue;
      const wanted = promised(told.operation, attempt);
      const isThere = wanted.length === 0 || wanted.some((effect) => effects.has(effect));
      // What was promised less than durably may be lost with what was not synced or not replicated; a backup loses anything.
      const isExcused = losses.some(
        (loss) =>
          loss.atMs >= attempt.atMs - 1_000 &&
          wanted.some((effect) => loss.effects.has(effect)) &&
          (loss.cause === 'backup' || attempt.level === 'fast'),
      );
      hold(
        'I3',
        isThere || isExcused,
        () => `${wanted.join(' or ')} was answered with OK and is gone: ${JSON.stringify(told)}`,
      );
    }
    checkRefusals(told, history, effects);
  }
}

/** The last word about a wish was that it was refused for good: then it has not happened, and does not happen later either. */
function checkRefusals(told: Told, history: readonly Told[], effects: ReadonlySet<string>): void {
  const effect = refusedEffect(told.operation);
  if (effect === undefined) return;
  const alike = history.filter(({ operation }) => refusedEffect(operation) === effect);
  // One id used for two promotions: which of both the coupon is of, the effect does not tell.
  if (new Set(alike.map(({ operation }) => promotionOf(operation))).size > 1) return;
  const last = alike
    .flatMap(({ attempts }) => attempts)
    .toSorted((one, other) => one.atMs - other.atMs)
    .at(-1);
  const isRefused =
    last?.kind === 'refused' &&
    REASONS[last.reason].outcome === 'noEffect' &&
    last.reason !== 'REQUEST_ID_REUSED';
  hold(
    'I12',
    !isRefused || !effects.has(effect),
    () => `${effect} was refused for good and happened: ${JSON.stringify(told)}`,
  );
}
