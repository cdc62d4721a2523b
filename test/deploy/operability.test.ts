/** What goes wrong at night: restarts that help nobody, disruptions that take everything, secrets nobody mounted. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Manifest, podOf, ROOT, writtenManifests } from './manifests.ts';

const WRITTEN = writtenManifests();
const ROLES = ['serve', 'archive', 'migrate'];

const SecretVolume = z.looseObject({ name: z.string(), secret: z.looseObject({ secretName: z.string() }) });
const Budget = z.looseObject({ spec: z.looseObject({ maxUnavailable: z.union([z.number(), z.string()]) }) });
const Replicas = z.looseObject({ spec: z.looseObject({ replicas: z.number().optional() }) });
const Scaler = z.looseObject({ spec: z.looseObject({ minReplicas: z.number() }) });
const Generators = z.looseObject({
  secretGenerator: z.array(z.looseObject({ name: z.string(), literals: z.array(z.string()) })),
});
const Policy = z.looseObject({
  spec: z.looseObject({
    ingress: z
      .array(
        z.looseObject({ ports: z.array(z.object({ port: z.union([z.string(), z.number()]) })).default([]) }),
      )
      .default([]),
  }),
});

function named(kind: string, name: string): Manifest | undefined {
  return WRITTEN.find((manifest) => manifest.kind === kind && manifest.name === name);
}

const workloads = WRITTEN.flatMap((manifest) => {
  const pod = podOf(manifest);
  const component = pod?.metadata.labels['app.kubernetes.io/component'] ?? '';
  return pod === undefined || !ROLES.includes(component) ? [] : [{ manifest, component, spec: pod.spec }];
});
const running = workloads.filter(({ component }) => component !== 'migrate');

// SPEC C7
describe.each(running.map(({ component, spec }) => [component, spec] as const))('%s', (component, spec) => {
  const [container] = spec.containers;

  test('is restarted when it hangs, never because a store is away', () => {
    expect(container?.startupProbe?.httpGet?.path).toBe('/livez');
    expect(container?.livenessProbe?.httpGet?.path).toBe('/livez');
    expect(container?.readinessProbe?.httpGet?.path).toBe('/readyz');
  });

  test('has the memory it may use reserved, so that its node never runs out of it', () => {
    expect(container?.resources.requests['memory']).toBe(container?.resources.limits['memory']);
  });

  test('gives up pods when a node is emptied, and never all of them', () => {
    const { maxUnavailable } = Budget.parse(named('PodDisruptionBudget', `hongbao-${component}`)?.body).spec;
    const scaler = named('HorizontalPodAutoscaler', `hongbao-${component}`);
    const replicas =
      scaler === undefined
        ? (Replicas.parse(named('Deployment', `hongbao-${component}`)?.body).spec.replicas ?? 1)
        : Scaler.parse(scaler.body).spec.minReplicas;
    const pods =
      typeof maxUnavailable === 'number'
        ? maxUnavailable
        : Math.ceil((Number.parseInt(maxUnavailable, 10) / 100) * replicas);
    expect(pods).toBeGreaterThanOrEqual(1);
    expect(pods).toBeLessThan(replicas);
  });
});

test('each role has a secret of its own, and mounts every file its settings name', () => {
  const example = readFileSync(join(ROOT, 'k8s/example/kustomization.yaml'), 'utf8');
  const { secretGenerator } = Generators.parse(parse(example));
  const keys = new Map(
    secretGenerator.map(({ name, literals }) => [name, literals.map((literal) => literal.split('=')[0])]),
  );
  const guide = readFileSync(join(ROOT, 'docs/deployment.md'), 'utf8');
  const mounted = workloads.map(({ spec }) => {
    const [{ secret, name }] = z
      .tuple([SecretVolume])
      .parse(spec.volumes.filter((volume) => 'secret' in volume));
    const [container] = spec.containers;
    const folder = container?.volumeMounts.find((mount) => mount.name === name)?.mountPath ?? '';
    const files = (container?.env ?? []).filter((entry) => entry.name.endsWith('_FILE'));
    for (const { value = '' } of files) {
      expect(value.startsWith(`${folder}/`), value).toBe(true);
      expect(keys.get(secret.secretName)).toContain(value.slice(folder.length + 1));
      expect(guide).toContain(`\`${value.slice(folder.length + 1)}\``);
    }
    expect(guide).toContain(`\`${secret.secretName}\``);
    return secret.secretName;
  });
  expect(new Set(mounted).size).toBe(ROLES.length);
});

test('network policies name ports that containers have', () => {
  const ports = new Set(
    WRITTEN.flatMap((manifest) => podOf(manifest)?.spec.containers ?? []).flatMap((container) =>
      container.ports.flatMap(({ name, containerPort }): (string | number)[] => [name, containerPort]),
    ),
  );
  const opened = WRITTEN.filter(({ kind }) => kind === 'NetworkPolicy')
    .flatMap(({ body }) => Policy.parse(body).spec.ingress)
    .flatMap((rule) => rule.ports.map(({ port }) => port));
  expect(opened.length).toBeGreaterThan(3);
  for (const port of opened) expect(ports).toContain(port);
});
