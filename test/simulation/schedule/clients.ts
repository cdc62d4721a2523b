/** Clients of the simulation: each utters one wish, and again under the same id until it has an answer or tires. */
import { REASONS } from '../../../src/domain/refusal.ts';
import type { Answer } from '../world/serving-process.ts';
import type { Attempt, Told } from './history.ts';
import type { PromotionName } from './plan.ts';
import { CLIENTS, type World } from './world.ts';

/** Time beyond the deadline after which a client stops listening, in milliseconds. */
const GRACE_MS = 15;
/** Pause before it asks again, in milliseconds. */
const PAUSE_MS = 4;

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
    const heard = await ask(world, asked, operation.process + told.attempts.length);
    told.attempts.push(heard);
    if (heard.kind === 'ok') learn(world, told, heard);
    if (!isUnknown(heard)) return;
    await world.time.sleep(PAUSE_MS);
  }
}

function ask(world: World, operation: Told['operation'], process: number): Promise<Attempt> {
  const { time } = world;
  const { promise, resolve } = Promise.withResolvers<Attempt>();
  const serving = world.servingAt(process);
  const giveUpMs = serving === undefined ? 1 : operation.deadlineMs + GRACE_MS;
  const silence = time.schedule(giveUpMs, () => resolve({ atMs: time.nowMs, kind: 'silence' }), CLIENTS);
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
    () => void serving.process.perform(operation, deadlineMs).then(hear, world.broke),
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
