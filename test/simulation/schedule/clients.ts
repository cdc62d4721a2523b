/** Clients of the simulation: each utters one wish, and again under the same id until it has an answer or tires. */
import { REASONS } from '../../../src/domain/refusal.ts';
import type { Answer } from '../world/serving-process.ts';
import type { Attempt, Told } from './history.ts';
import type { PromotionName } from './plan.ts';
import { CLIENTS, type World } from './world.ts';

/** Time beyond the deadline after which a client stops listening, in milliseconds. */
const GRACE_MS = 15;
/** Pause before it asks again, in milliseconds: longer each time, up to the longest. */
const PAUSE_MS = 4;
const LONGEST_PAUSE_MS = 250;

/** A process was there all the time and gave no answer, not even a refusal. */
class Unanswered extends Error {
  override readonly name = 'Unanswered';
}

/** Does the answer leave open what has become of the wish? */
export function isUnknown(attempt: Attempt): boolean {
  return (
    attempt.kind === 'silence' ||
    (attempt.kind === 'refused' && REASONS[attempt.reason].outcome === 'unknown')
  );
}

/** Utters a wish until it is settled, at most so often. */
export async function pursue(world: World, told: Told, attempts: number, renames: boolean): Promise<void> {
  const { operation } = told;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const isRenamed = renames && attempt > 0 && 'request' in operation;
    const asked = isRenamed ? { ...operation, request: `${operation.request}-${attempt}` } : operation;
    if ('user' in operation) told.couponIds ??= world.couponsOf(operation.user);
    const heard = await ask(world, asked, told.couponIds ?? [], operation.process + told.attempts.length);
    told.attempts.push(heard);
    if (heard.kind === 'ok') learn(world, told, heard);
    if (!isUnknown(heard)) return;
    await world.time.sleep(Math.min(PAUSE_MS * 2 ** Math.floor(attempt / 3), LONGEST_PAUSE_MS));
  }
}

function ask(
  world: World,
  operation: Told['operation'],
  couponIds: readonly string[],
  process: number,
): Promise<Attempt> {
  const { time } = world;
  const { promise, resolve } = Promise.withResolvers<Attempt>();
  const serving = world.servingAt(process);
  const giveUpMs = serving === undefined ? 1 : operation.deadlineMs + GRACE_MS;
  const askedAtMs = time.nowMs;
  const giveUp = (): void => {
    const isAtWork = serving !== undefined && time.isAtWork(serving.owner, askedAtMs);
    if (isAtWork && operation.kind === 'claim') world.broke(new Unanswered(operation.kind));
    resolve({ atMs: time.nowMs, kind: 'silence' });
  };
  const silence = time.schedule(giveUpMs, giveUp, CLIENTS);
  if (serving === undefined) return promise;
  const hear = (answer: Answer): void => {
    time.schedule(
      0.2,
      () => {
        silence.isCancelled = true;
        resolve({ atMs: time.nowMs, ...answer });
      },
      CLIENTS,
    );
  };
  const deadlineMs = Math.floor(time.nowMs + operation.deadlineMs);
  time.schedule(
    0.2,
    () => void serving.process.perform(operation, couponIds, deadlineMs).then(hear, world.broke),
    serving.owner,
  );
  return promise;
}

function learn(world: World, { operation }: Told, { couponId }: Extract<Attempt, { kind: 'ok' }>): void {
  if (couponId === undefined || !('promotion' in operation) || !('user' in operation)) return;
  const name: PromotionName = operation.promotion;
  world.shop.noteCoupon(couponId, name);
  world.noteCoupon(operation.user, couponId);
}
