/** What is running, for logs and metrics. */
import { readFileSync } from 'node:fs';
import type { Build } from '../telemetry/metrics.ts';

function versionOf(manifest: unknown): string {
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '';
}

/** The version of the product and of Node, for a process of this role. */
export function readBuild(role: NonNullable<Build['role']>): Build {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return { version: versionOf(manifest), node: process.version, role };
}
