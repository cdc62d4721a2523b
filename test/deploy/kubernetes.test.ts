/** Every manifest is one Kubernetes takes, keeps to the restricted level, and names nothing the product does not have. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { allVariables } from '../../src/config/config.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import {
  canRender,
  type Manifest,
  OVERLAYS,
  podOf,
  ROOT,
  renderOverlay,
  writtenManifests,
} from './manifests.ts';

const WRITTEN = writtenManifests();
const OURS = ['serve', 'archive', 'migrate'];
const PORTS = new Map([
  ['grpc', 'HONGBAO_GRPC_PORT'],
  ['http', 'HONGBAO_HTTP_PORT'],
  ['ops', 'HONGBAO_OPS_PORT'],
]);
/** Where the schemas of operators are. */
const FOREIGN = new Map([
  ['monitoring.coreos.com', '@kubernetes-models/prometheus-operator'],
  ['keda.sh', '@kubernetes-models/keda'],
]);

interface Model {
  validate(): void;
}

async function modelOf({ apiVersion, kind, body }: Manifest): Promise<Model> {
  const group = apiVersion.split('/')[0] ?? '';
  const source = FOREIGN.get(group) ?? 'kubernetes-models';
  const module: Record<string, new (data: unknown) => Model> = await import(
    `${source}/${apiVersion}/${kind}`
  );
  const Kind = module[kind];
  if (Kind === undefined) throw new Error(`${source} has no ${kind}`);
  return new Kind(body);
}

const NAMES = new Set(
  allVariables().flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name])),
);

function unknownVariables(names: readonly string[]): string[] {
  return names.filter((name) => !NAMES.has(name));
}

function defaultOf(name: string): unknown {
  return allVariables()
    .find((variable) => variable.name === name)
    ?.schema.parse(undefined);
}

const workloads = WRITTEN.flatMap((manifest) => {
  const pod = podOf(manifest);
  return pod === undefined
    ? []
    : [{ manifest, pod, component: pod.metadata.labels['app.kubernetes.io/component'] }];
});
const ours = workloads.filter(({ component }) => OURS.includes(component ?? ''));

// SPEC C7
describe('manifests', () => {
  test.each(WRITTEN.map((manifest) => [manifest.kind, manifest.name, manifest] as const))(
    '%s %s is what its schema asks for',
    async (_kind, _name, manifest) => {
      const model = await modelOf(manifest);
      expect(() => model.validate()).not.toThrow();
    },
  );

  test('there is one of each kind a service needs', () => {
    const kinds = WRITTEN.map(({ kind, name }) => `${kind} ${name}`);
    expect(kinds).toEqual(
      expect.arrayContaining([
        'Deployment hongbao-serve',
        'Deployment hongbao-archive',
        'Job hongbao-migrate',
        'Service hongbao',
        'Service hongbao-pods',
        'HorizontalPodAutoscaler hongbao-serve',
        'PodDisruptionBudget hongbao-serve',
        'PodDisruptionBudget hongbao-archive',
        'NetworkPolicy hongbao-deny',
      ]),
    );
    expect(ours.map(({ component }) => component).toSorted()).toEqual(OURS.toSorted());
  });

  test.each(workloads.map(({ manifest, pod }) => [manifest.name, pod.spec] as const))(
    '%s keeps to the restricted level and says what it needs',
    (_name, spec) => {
      expect(spec.automountServiceAccountToken).toBe(false);
      expect(spec.securityContext.runAsNonRoot).toBe(true);
      expect(spec.securityContext.seccompProfile.type).toBe('RuntimeDefault');
      for (const { securityContext, resources } of spec.containers) {
        expect(securityContext.allowPrivilegeEscalation).toBe(false);
        expect(securityContext.readOnlyRootFilesystem).toBe(true);
        expect(securityContext.capabilities.drop).toEqual(['ALL']);
        expect(resources.limits.memory).toBeDefined();
        expect(
          resources.limits.cpu,
          'a limit of CPU stops a process in the middle of a peak',
        ).toBeUndefined();
        expect(resources.requests.cpu).toBeDefined();
      }
    },
  );
});

// SPEC C7
describe('what the manifests name exists', () => {
  test.each(ours.map(({ component, pod }) => [component ?? '', pod.spec] as const))(
    'in %s: role, settings, ports, probes and volumes',
    (component, spec) => {
      const [container] = spec.containers;
      expect(container?.args).toEqual([component]);
      expect(unknownVariables(container?.env.map(({ name }) => name) ?? [])).toEqual([]);
      for (const { name, containerPort } of container?.ports ?? [])
        expect(containerPort).toBe(defaultOf(PORTS.get(name) ?? ''));
      const paths = [container?.startupProbe, container?.readinessProbe, container?.livenessProbe].flatMap(
        (probe) => (probe?.httpGet === undefined ? [] : [probe.httpGet]),
      );
      for (const { path, port } of paths) {
        expect(['/livez', '/readyz']).toContain(path);
        expect(port).toBe('ops');
      }
      const volumes = spec.volumes.map(({ name }) => name);
      for (const { name } of container?.volumeMounts ?? []) expect(volumes).toContain(name);
    },
  );

  test('in generated settings: every one is a setting', () => {
    const Kustomization = z.looseObject({
      configMapGenerator: z.array(z.looseObject({ literals: z.array(z.string()) })).default([]),
    });
    const files = ['base', ...OVERLAYS.map((name) => `overlays/${name}`)].map((folder) =>
      Kustomization.parse(parse(readFileSync(join(ROOT, 'k8s', folder, 'kustomization.yaml'), 'utf8'))),
    );
    const names = files.flatMap(({ configMapGenerator }) =>
      configMapGenerator.flatMap(({ literals }) => literals.map((literal) => literal.split('=')[0] ?? '')),
    );
    expect(names.length).toBeGreaterThan(5);
    expect(unknownVariables(names)).toEqual([]);
  });

  test('in rules of the adapter and of KEDA: every metric is measured', async () => {
    const measured = await createMetrics({ version: 'test', node: 'test' }).registry.metrics();
    const texts = ['adapter/adapter-rules.yaml', 'keda/scaled-object.yaml'].map((file) =>
      readFileSync(join(ROOT, 'k8s/overlays', file), 'utf8'),
    );
    const named = texts.flatMap((text) => text.match(/\bpromo_[a-z_]+/g) ?? []);
    expect(named.length).toBeGreaterThan(2);
    for (const name of named) expect(measured).toContain(`# TYPE ${name} `);
  });

  test('a pod has time for its drain before it is killed', () => {
    const drainMs = ['HONGBAO_DRAIN_READINESS_DELAY_MS', 'HONGBAO_DRAIN_GRACE_MS']
      .map((name) => Number(defaultOf(name)))
      .reduce((sum, ms) => sum + ms, 0);
    const serve = ours.find(({ component }) => component === 'serve');
    expect((serve?.pod.spec.terminationGracePeriodSeconds ?? 0) * 1_000).toBeGreaterThan(drainMs);
  });
});

// Rendering takes kubectl, which not every machine has: what is written is checked above in any case.
describe.skipIf(!canRender)('rendered overlays', () => {
  test.each(OVERLAYS)('%s renders, and is whole', async (name) => {
    const rendered = renderOverlay(name);
    for (const manifest of rendered.filter(({ kind }) => kind !== 'Secret')) {
      const model = await modelOf(manifest);
      expect(() => model.validate(), `${manifest.kind} ${manifest.name}`).not.toThrow();
    }
    const scalers = rendered.filter(({ kind }) => ['HorizontalPodAutoscaler', 'ScaledObject'].includes(kind));
    expect(scalers.map(({ kind }) => kind)).toEqual([
      name === 'keda' ? 'ScaledObject' : 'HorizontalPodAutoscaler',
    ]);
    const known = new Set(rendered.map(({ kind, name: own }) => `${kind} ${own}`));
    const settings = JSON.stringify(rendered.map(({ body }) => body)).match(
      /"configMapRef":\{"name":"([^"]+)"/g,
    );
    for (const reference of settings ?? [])
      expect(known).toContain(`ConfigMap ${/"name":"([^"]+)"/.exec(reference)?.[1]}`);
  });
});
