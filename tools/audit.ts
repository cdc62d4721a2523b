/**
 * Asks the registry whether a known hole is in a dependency that runs in production. A registry that cannot be asked skips the
 * check, aloud: a build must not depend on somebody else's server, and nobody may take silence for a good answer.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT_DIRECTORY } from './start/settings.ts';

const LIMIT_MS = 30_000;
/** Holes of these degrees fail the check; lesser ones are for the next update. */
const GRAVE = ['high', 'critical'] as const;

/** What came of the question. */
export interface AuditOutcome {
  readonly kind: 'clean' | 'holes' | 'skipped';
  /** One line for people. */
  readonly text: string;
}

/** Reads what `npm audit --json` printed. */
export function judgeAudit(printed: string): AuditOutcome {
  const counts = countsIn(printed);
  if (counts === undefined) return { kind: 'skipped', text: 'the registry answers no audits' };
  const grave = GRAVE.map((degree) => counts[degree] ?? 0).reduce((sum, count) => sum + count, 0);
  return grave === 0
    ? { kind: 'clean', text: 'no grave hole is known' }
    : { kind: 'holes', text: `${grave} grave holes are known; npm audit names them` };
}

function countsIn(printed: string): Readonly<Record<string, number>> | undefined {
  try {
    return JSON.parse(printed).metadata?.vulnerabilities;
  } catch {
    return undefined;
  }
}

/** The oldest versions without a hole that matters here, each with the reason. */
export const OLDEST_VERSIONS: Readonly<Record<string, { readonly version: string; readonly why: string }>> = {
  '@grpc/grpc-js': { version: '1.14.4', why: 'a malformed request or compressed message ended the server' },
  protobufjs: { version: '7.6.1', why: 'a hostile schema could run code' },
  piscina: { version: '5.3.2', why: 'options could be polluted through prototypes' },
  jose: { version: '6.0.0', why: 'older lines get no fixes' },
};

/** The version of a package as the lock file has it. */
export function lockedVersion(name: string): string {
  const lock = JSON.parse(readFileSync(join(ROOT_DIRECTORY, 'package-lock.json'), 'utf8'));
  return String(lock.packages?.[`node_modules/${name}`]?.version ?? '');
}

/** Whether one version is at least another; both in numbers and points. */
export function isAtLeast(version: string, oldest: string): boolean {
  const [left, right] = [version, oldest].map((text) => text.split(/[.-]/).map(Number));
  for (const [index, wanted] of (right ?? []).entries()) {
    const given = left?.[index] ?? 0;
    if (given !== wanted) return given > wanted;
  }
  return true;
}

function main(): void {
  const result = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
    cwd: ROOT_DIRECTORY,
    encoding: 'utf8',
    timeout: LIMIT_MS,
  });
  const { kind, text } = judgeAudit(result.stdout ?? '');
  console.log(kind === 'skipped' ? `SKIPPED: ${text}` : text);
  process.exitCode = kind === 'holes' ? 1 : 0;
}

if (import.meta.main) main();
