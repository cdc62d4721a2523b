/** One process of a rolling restart: told to leave, started again, and only left alone when it is at work. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseMetrics } from '../../../bench/product/metrics-page.ts';
import { type Level, readLevels } from '../../chaos/topology/levels.ts';
import type { ProductProcess } from '../../chaos/topology/product-process.ts';
import type { World } from '../../chaos/topology/world.ts';

/** How it went, ms. */
export interface Restart {
  readonly name: string;
  readonly exitCode: number | null;
  /** From SIGTERM to its end. */
  readonly leftAfterMs: number;
  /** From its start until it says that it is ready. */
  readonly readyAfterMs: number;
  /** From then until it has done something: `serve` answered a call, some `archive` archived what had come meanwhile. */
  readonly atWorkAfterMs: number;
}

const HANDLED = 'grpc_server_handled_total';
const POLL_MS = 25;
const AT_WORK_MS = 15_000;

/** Restarts a process. Throws when it is not at work soon. */
export async function restart(world: World, process: ProductProcess): Promise<Restart> {
  const toldMs = performance.now();
  const exitCode = await process.end('SIGTERM');
  const leftMs = performance.now();
  await process.start();
  const readyMs = performance.now();
  const isAtWork = world.archives.includes(process)
    ? archivedBeyond(world, await readLevels(world))
    : async () => (await answeredBy(process)) > 0;
  while (!(await isAtWork())) {
    if (performance.now() - readyMs > AT_WORK_MS)
      throw new Error(`${process.name} is ready, and not at work after ${AT_WORK_MS} ms`);
    await sleep(POLL_MS);
  }
  return {
    name: process.name,
    exitCode,
    leftAfterMs: Math.round(leftMs - toldMs),
    readyAfterMs: Math.round(readyMs - leftMs),
    atWorkAfterMs: Math.round(performance.now() - readyMs),
  };
}

/** Whether everything that was in the log at a moment, and was not archived then, is archived now. */
function archivedBeyond(world: World, earlier: readonly Level[]): () => Promise<boolean> {
  return async () => {
    const levels = await readLevels(world);
    return levels.every(({ archivedSeq }, index) => archivedSeq >= (earlier[index]?.lastSeq ?? 0));
  };
}

/** Calls a process has answered since its start, health checks and the like not counted. */
export async function answeredBy(process: ProductProcess): Promise<number> {
  const page = await fetch(`http://127.0.0.1:${process.port('ops')}/metrics`).then((answer) => answer.text());
  return parseMetrics(page)
    .filter(({ name, labels }) => name === HANDLED && labels['grpc_service']?.startsWith('hongbao.'))
    .reduce((sum, { value }) => sum + value, 0);
}
