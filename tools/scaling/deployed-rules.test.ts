/** The simulation runs on what the overlays deploy: what it reads of them is what kubectl renders. SPEC C7 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { deployedRules, SCALED_OVERLAYS } from './deployed-rules.ts';
import { renderedOverlay } from './rendered-overlay.ts';

const ROOT = join(import.meta.dirname, '../..');
const SCALERS = ['HorizontalPodAutoscaler', 'ScaledObject'];

function kubectl(...words: readonly string[]): string | undefined {
  try {
    return execFileSync('kubectl', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}

const canRender = kubectl('version', '--client') !== undefined;

/** The `spec` of what scales, by kind and name. */
function scalerSpecs(objects: readonly unknown[]): Map<string, unknown> {
  const entries = objects.flatMap((object): [string, unknown][] => {
    if (typeof object !== 'object' || object === null || !('kind' in object) || !('spec' in object))
      return [];
    return SCALERS.includes(String(object.kind)) ? [[String(object.kind), object.spec]] : [];
  });
  return new Map(entries);
}

describe.skipIf(!canRender)('beside kubectl', () => {
  test.each(SCALED_OVERLAYS)('%s is patched as kubectl does it', (overlay) => {
    const rendered = kubectl('kustomize', join(ROOT, 'k8s/overlays', overlay)) ?? '';
    const theirs = parseAllDocuments(rendered).map((document): unknown => document.toJS());
    expect(scalerSpecs(renderedOverlay(overlay))).toEqual(scalerSpecs(theirs));
  });
});

test.each(SCALED_OVERLAYS)('%s: bounds in order, targets a pod can reach, up faster than down', (overlay) => {
  const rules = deployedRules(overlay);
  expect(rules.minReplicas).toBeGreaterThanOrEqual(3);
  expect(rules.maxReplicas).toBeGreaterThan(rules.minReplicas);
  expect(rules.scaleUp.stabilizationSeconds).toBeLessThan(rules.scaleDown.stabilizationSeconds);
  for (const { replicas } of rules.schedules) expect(replicas).toBeLessThanOrEqual(rules.maxReplicas);
  const loop = rules.metrics.find(({ signal }) => signal === 'event-loop');
  if (loop !== undefined) expect(loop.target).toBeLessThan(1);
});

test('the overlays hold to the same bounds, the same CPU and the same pace', () => {
  const [prod, ...others] = SCALED_OVERLAYS.map(deployedRules);
  for (const other of others) {
    expect({ ...other, metrics: [], schedules: [] }).toEqual({ ...prod, metrics: [], schedules: [] });
    expect(other.metrics[0]).toEqual(prod?.metrics[0]);
  }
});
