import type { ProductProcess } from '../topology/product-process.ts';
import { always, type Fault } from './fault.ts';

/** Loaded before the product: another build, as far as Redis can tell. */
const OTHER_SCRIPTS = new URL('../topology/other-scripts.ts', import.meta.url);

/** A release is rolled out: two versions of the scripts work side by side. */
export const rollingRestart: Fault = {
  id: 'F33',
  title: 'Rolling restart with two versions of the scripts',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['serve', 'archive'],
  lastsMs: [1_000, 3_000],
  does: 'A third `serve`, whose scripts differ in text and hash, joins; the first two are restarted one after the other; then it leaves. The `archive` processes change over too.',
  expects: 'Old and new write side by side; the log folds to the same state.',
  showed: 'Two texts of every script side by side; the log folds to the same state, audit clean.',
  canRun: always,
  async inject(world) {
    const [first, second, third] = world.serves;
    if (first === undefined || second === undefined || third === undefined)
      throw new Error('a rolling restart needs three processes');
    await third.start(OTHER_SCRIPTS);
    const [firstArchive, secondArchive] = world.archives;
    await Promise.all([first, firstArchive].map((process) => restart(process)));
    await Promise.all([second, secondArchive].map((process) => restart(process)));
    return {
      note: 'every process replaced, two versions of the scripts meanwhile',
      async heal() {
        const code = await third.end('SIGTERM');
        if (code !== 0) throw new Error(`${third.name} ended with ${code} after SIGTERM`);
      },
    };
  },
};

async function restart(process: ProductProcess | undefined): Promise<void> {
  const code = await process?.end('SIGTERM');
  if (code !== 0) throw new Error(`${process?.name} ended with ${code} after SIGTERM`);
  await process?.start();
}
