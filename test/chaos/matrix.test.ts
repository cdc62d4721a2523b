import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FAULTS, PROVEN_ELSEWHERE, ROWS } from './faults/matrix.ts';
import { createRandom } from './faults/random.ts';
import { listMatrix } from './list.ts';
import { chooseFaults } from './nemesis.ts';
import { parseOptions } from './options.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NOW_MS = 1_795_000_000_000;

const everywhere = { noSystemCallFaults: undefined, noSmallDisks: undefined, noMovableClocks: undefined };

describe('the fault matrix (SPEC C3, C4)', () => {
  it('has every row, once injected or once proven elsewhere', () => {
    const injected = new Set(FAULTS.map(({ id }) => id));
    const rows = Array.from({ length: ROWS }, (_, index) => `F${index + 1}`);
    expect([...injected, ...PROVEN_ELSEWHERE.map(({ id }) => id)].toSorted()).toEqual(rows.toSorted());
  });

  it.each(PROVEN_ELSEWHERE)('$id is proven by what is there: $by', ({ by }) => {
    for (const file of by.split(', ')) expect(existsSync(`${ROOT}/${file}`)).toBe(true);
  });

  it('is listed with every row, in order, also as a table', () => {
    const lines = listMatrix(false).split('\n');
    expect(lines[0]).toMatch(/^F1 /);
    expect(lines.at(-1)).toMatch(/^F35 /);
    expect(listMatrix(true).split('\n')).toHaveLength(lines.length + 2);
  });

  it('is published as it is (npm run chaos -- --list --markdown)', () => {
    expect(readFileSync(`${ROOT}/docs/reliability.md`, 'utf8')).toContain(listMatrix(true));
  });
});

describe('the choice of faults (SPEC C4)', () => {
  it('says why one is left out', () => {
    const conditions = { topology: 'single', machine: everywhere, isNamed: false } as const;
    const { chosen, skipped } = chooseFaults(FAULTS, conditions, undefined);
    expect(chosen.map(({ id }) => id)).toContain('F5');
    expect(skipped.find(({ id }) => id === 'F12')?.reason).toContain('--topology');
    expect(skipped.find(({ id }) => id === 'F8')?.reason).toContain('--faults F8');
    expect(chosen.length + skipped.length).toBe(FAULTS.length);
  });

  it('leaves out what the machine cannot do, aloud', () => {
    const machine = { ...everywhere, noSystemCallFaults: 'no strace' };
    const { skipped } = chooseFaults(
      FAULTS,
      { topology: 'single', machine, isNamed: true },
      new Set(['F6', 'F5']),
    );
    expect(skipped).toEqual([{ id: 'F6', title: 'Crash while the disk is slow', reason: 'no strace' }]);
  });

  it('is the same for the same seed, whatever else was drawn', () => {
    const draws = (seed: number): number[] => {
      const random = createRandom(seed);
      random.next();
      const own = random.fork('nemesis');
      return Array.from({ length: 5 }, () => own.between(0, 1_000));
    };
    expect(draws(7)).toEqual(draws(7));
    expect(createRandom(7).fork('nemesis').between(0, 1_000)).toBe(draws(7)[0]);
    expect(draws(8)).not.toEqual(draws(7));
  });
});

describe('the arguments of a run (SPEC C4)', () => {
  it('have defaults', () => {
    expect(parseOptions([], NOW_MS)).toMatchObject({ command: 'run', topology: 'single', faultsMs: 60_000 });
  });

  it.each([
    [['--seed', 'x'], '--seed'],
    [['--minutes', '0'], '--minutes'],
    [['--topology', 'ring'], '--topology'],
    [['--faults', 'F99'], 'there is no F99'],
    [['--faults', 'F25'], 'F25 is proven by'],
  ])('refuse %j', (args, complaint) => {
    expect(() => parseOptions(args, NOW_MS)).toThrow(complaint);
  });
});
