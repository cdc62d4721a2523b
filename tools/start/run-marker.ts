import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isProcessRunning } from '../servers/running-process.ts';
import { DATA_DIRECTORY } from './settings.ts';

const MARKER = join(DATA_DIRECTORY, 'start.pid');

/**
 * Notes that `npm start` runs in this checkout, until the stack ends. Answers whether the run before was killed, so that
 * its leftovers may still be ending. Throws an `Error` of one line when it is still running.
 */
export async function markRunning(stack: AsyncDisposableStack): Promise<boolean> {
  const before = await readFile(MARKER, 'utf8').catch(() => undefined);
  if (before !== undefined && (await isProcessRunning(Number(before), 'node'))) {
    throw new Error(`npm start already runs in this folder, as process ${before}.`);
  }
  await mkdir(DATA_DIRECTORY, { recursive: true });
  await writeFile(MARKER, String(process.pid));
  stack.defer(() => rm(MARKER, { force: true }));
  return before !== undefined;
}
