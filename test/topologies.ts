/**
 * `npm run test:topologies [set-up …]`: the integration tests on every set-up of Redis, one after the other. SPEC C9
 *
 * Files that have nothing of Redis in them, or choose its set-up themselves, are left out, and said to be.
 */
import { spawnSync } from 'node:child_process';
import { glob } from 'node:fs/promises';
import process from 'node:process';
import { SET_UPS } from './redis-set-up.ts';

const LEFT_OUT: Readonly<Record<string, string>> = {
  'definition-store': 'Postgres only',
  'evaluation-pool': 'worker threads only',
  insight: 'Postgres only',
  'rule-set': 'Postgres only',
  'claim-faults': 'breaks one server, behind a proxy, in ways of one server',
  replicas: 'makes a replica of its own and freezes it',
  leases: 'has four partitions, and a server for each of some',
  'leased-limits': 'has four partitions',
  partitions: 'has four partitions',
  rebuild: 'destroys the files of a server and changes the number of partitions',
  topologies: 'goes through the set-ups itself',
};

async function main(): Promise<number> {
  const asked = process.argv.slice(2);
  const setUps = SET_UPS.filter((setUp) => asked.length === 0 || asked.includes(setUp));
  const files: string[] = [];
  for await (const file of glob('test/integration/*.test.ts')) {
    const name = /([^/]+)\.test\.ts$/.exec(file)?.[1] ?? '';
    if (LEFT_OUT[name] === undefined) files.push(file);
    else process.stdout.write(`left out: ${name}: ${LEFT_OUT[name]}\n`);
  }
  const ends = setUps.map((setUp) => {
    process.stdout.write(`\n${setUp}\n`);
    // Six servers for every file: files take turns.
    const args = ['run', '--no-file-parallelism', ...files.toSorted()];
    const { status } = spawnSync('vitest', args, {
      stdio: 'inherit',
      env: { ...process.env, HONGBAO_TEST_TOPOLOGY: setUp },
    });
    return { setUp, status };
  });
  for (const { setUp, status } of ends)
    process.stdout.write(`${setUp}: ${status === 0 ? 'passed' : 'FAILED'}\n`);
  return ends.every(({ status }) => status === 0) ? 0 : 1;
}

process.exitCode = await main();
