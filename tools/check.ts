/**
 * `npm run check`: everything that can be said about the sources without running the product. Every step runs even when
 * an earlier one failed; the last line is "N passed, N failed".
 */
import { spawnSync } from 'node:child_process';
import { ROOT_DIRECTORY } from './start/settings.ts';

interface Step {
  readonly name: string;
  /** Program of node_modules/.bin and its arguments; a text = why this step cannot be done here. */
  readonly command: readonly [string, ...string[]] | string;
}

function main(): void {
  const results = steps().map(runStep);
  const count = (wanted: Outcome): number => results.filter((result) => result === wanted).length;
  const skipped = count('skipped') > 0 ? `, ${count('skipped')} skipped` : '';
  console.log(`\n${count('passed')} passed, ${count('failed')} failed${skipped}`);
  process.exitCode = count('failed') === 0 ? 0 : 1;
}

function steps(): Step[] {
  return [
    { name: 'types', command: ['tsc', '-p', '.'] },
    { name: 'lint and format', command: ['biome', 'check', '--error-on-warnings', '.'] },
    { name: 'contract: lint', command: ['buf', 'lint'] },
    { name: 'contract: format', command: ['buf', 'format', '--diff', '--exit-code'] },
    { name: 'contract: breaking changes', command: breakingCommand() },
    { name: 'generated files', command: ['node', 'tools/generate.ts', '--check'] },
    { name: 'unused code', command: ['knip'] },
    { name: 'known holes of dependencies', command: ['node', 'tools/audit.ts'] },
    { name: 'house style', command: ['vitest', 'run', 'tools/tidy'] },
  ];
}

type Outcome = 'passed' | 'failed' | 'skipped';

function runStep({ name, command }: Step): Outcome {
  if (typeof command === 'string') {
    console.log(`- ${name}: skipped, ${command}`);
    return 'skipped';
  }
  const [program, ...parameters] = command;
  const start = performance.now();
  const result = spawnSync(program, parameters, { cwd: ROOT_DIRECTORY, encoding: 'utf8', maxBuffer: 1e8 });
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  const skipped = /^SKIPPED: (.*)$/m.exec(result.stdout ?? '');
  if (result.status === 0 && skipped !== null) {
    console.log(`- ${name}: skipped, ${skipped[1]}`);
    return 'skipped';
  }
  if (result.status === 0) {
    console.log(`✓ ${name} (${seconds} s)`);
    return 'passed';
  }
  console.log(
    `✗ ${name} (${seconds} s)\n${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`,
  );
  return 'failed';
}

/**
 * The contract may not break what is on `main`. On `main` itself the commit before is the yardstick, otherwise a break
 * would be compared with itself.
 */
function breakingCommand(): Step['command'] {
  const head = gitOutput('rev-parse', 'HEAD');
  const main =
    gitOutput('rev-parse', '--verify', '--quiet', 'main') ||
    gitOutput('rev-parse', '--verify', '--quiet', 'origin/main');
  const base = main === head ? gitOutput('rev-parse', '--verify', '--quiet', 'HEAD~1') : main;
  if (base === '') return 'no earlier commit to compare with is here';
  if (gitOutput('ls-tree', '--name-only', base, 'proto') === '')
    return 'the commit to compare with has no contract yet';
  return ['buf', 'breaking', '--against', `.git#ref=${base}`];
}

function gitOutput(...parameters: string[]): string {
  const result = spawnSync('git', parameters, { cwd: ROOT_DIRECTORY, encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : '';
}

main();
