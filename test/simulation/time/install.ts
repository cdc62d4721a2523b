/**
 * Puts virtual time in the place of the real one, for all code that runs meanwhile: timers, immediates, `timers/promises`, the
 * clock and the stop watch. The product's own code needs no seam for it.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import type { Scheduled, VirtualTime } from './virtual-time.ts';

const require = createRequire(import.meta.url);
const timersPromises: object = require('node:timers/promises');

/** What `setTimeout` and its siblings answer with. */
class VirtualTimer {
  scheduled: Scheduled | undefined;

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}

type Callback = (...args: unknown[]) => void;

function timersOf(time: VirtualTime): Record<string, unknown> {
  const later = (callback: Callback, delayMs = 0, ...args: unknown[]): VirtualTimer => {
    const timer = new VirtualTimer();
    timer.scheduled = time.schedule(Math.max(1, delayMs), () => callback(...args));
    return timer;
  };
  const clear = (timer: unknown): void => {
    if (timer instanceof VirtualTimer && timer.scheduled) timer.scheduled.isCancelled = true;
  };
  const repeat = (callback: Callback, everyMs = 1, ...args: unknown[]): VirtualTimer => {
    const timer = new VirtualTimer();
    const again = (): void => {
      timer.scheduled = time.schedule(everyMs, again);
      callback(...args);
    };
    timer.scheduled = time.schedule(everyMs, again);
    return timer;
  };
  const immediate = (callback: Callback, ...args: unknown[]): VirtualTimer => {
    const timer = new VirtualTimer();
    timer.scheduled = time.schedule(0, () => callback(...args));
    return timer;
  };
  return {
    setTimeout: later,
    clearTimeout: clear,
    setInterval: repeat,
    clearInterval: clear,
    setImmediate: immediate,
    clearImmediate: clear,
  };
}

/** Replaces properties; answers with what puts them back. */
function replace(target: object, values: Readonly<Record<string, unknown>>): () => void {
  const before = Object.keys(values).map((name) => [name, Reflect.get(target, name)] as const);
  for (const [name, value] of Object.entries(values)) Reflect.set(target, name, value);
  return () => {
    for (const [name, value] of before) Reflect.set(target, name, value);
  };
}

/** Lets this time be the time; answers with what ends that. */
export function installTime(time: VirtualTime): () => void {
  const restore = [
    replace(globalThis, timersOf(time)),
    replace(Date, { now: () => Math.floor(time.nowMs) }),
    replace(performance, { now: () => time.nowMs }),
    replace(timersPromises, {
      setTimeout: async (delayMs = 1, value?: unknown) => {
        await time.sleep(Math.max(1, delayMs));
        return value;
      },
    }),
  ];
  syncBuiltinESMExports();
  return () => {
    for (const undo of restore) undo();
    syncBuiltinESMExports();
  };
}
