import { EventEmitter } from 'node:events';
import type { Piscina } from 'piscina';

/** Runs a task on a pool. After `timeoutMs` the task is broken off, which ends its thread, and the promise with it. */
export async function runWithin<Task, Result>(
  pool: Piscina<Task, Result>,
  task: Task,
  timeoutMs: number,
): Promise<Result> {
  const signal = new EventEmitter();
  const timer = setTimeout(() => signal.emit('abort'), timeoutMs);
  try {
    return await pool.run(task, { signal });
  } finally {
    clearTimeout(timer);
  }
}
