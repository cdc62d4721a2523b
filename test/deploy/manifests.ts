/** The manifests of `k8s/` as Kubernetes would get them. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The overlays somebody may apply. */
export const OVERLAYS = ['dev', 'prod', 'adapter', 'keda'] as const;

const Named = z.looseObject({ name: z.string() });
const EnvironmentEntry = z.looseObject({ name: z.string(), value: z.string().optional() });
const Port = z.looseObject({ name: z.string(), containerPort: z.number() });
const Probe = z
  .looseObject({ httpGet: z.object({ path: z.string(), port: z.string() }).optional() })
  .optional();
const Container = z.looseObject({
  name: z.string(),
  args: z.array(z.string()).default([]),
  env: z.array(EnvironmentEntry).default([]),
  ports: z.array(Port).default([]),
  startupProbe: Probe,
  readinessProbe: Probe,
  livenessProbe: Probe,
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).default([]),
  resources: z.looseObject({
    limits: z.record(z.string(), z.string()),
    requests: z.record(z.string(), z.string()),
  }),
  securityContext: z.looseObject({
    allowPrivilegeEscalation: z.boolean(),
    readOnlyRootFilesystem: z.boolean(),
    capabilities: z.object({ drop: z.array(z.string()) }),
  }),
});
const PodSpec = z.looseObject({
  containers: z.array(Container),
  volumes: z.array(Named).default([]),
  terminationGracePeriodSeconds: z.number().default(30),
  automountServiceAccountToken: z.boolean().optional(),
  securityContext: z.looseObject({
    runAsNonRoot: z.boolean(),
    seccompProfile: z.object({ type: z.string() }),
  }),
});
const Workload = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
      spec: PodSpec,
    }),
  }),
});

/** One object. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const Head = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});

/** The objects of a text. */
export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    for (const error of document.errors) throw error;
    const body = Head.parse(document.toJS());
    return { apiVersion: body.apiVersion, kind: body.kind, name: body.metadata.name, body };
  });
}

/** What a workload runs; undefined for what runs nothing. */
export function podOf(manifest: Manifest): z.infer<typeof Workload>['spec']['template'] | undefined {
  if (!['Deployment', 'StatefulSet', 'Job'].includes(manifest.kind)) return undefined;
  return Workload.parse(manifest.body).spec.template;
}

/** Every file with objects, as it is written. */
export function writtenManifests(): Manifest[] {
  const folders = ['base', 'example', 'overlays/prod', 'overlays/adapter', 'overlays/keda'];
  return folders.flatMap((folder) => {
    const path = join(ROOT, 'k8s', folder);
    const files = readdirSync(path).filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml');
    return files.flatMap((file) => parseManifests(readFileSync(join(path, file), 'utf8')));
  });
}

/** Whether overlays can be rendered here: kubectl is on PATH. */
export const canRender: boolean = hasKubectl();

/** An overlay as `kubectl apply -k` would send it. */
export function renderOverlay(name: string): Manifest[] {
  return parseManifests(
    execFileSync('kubectl', ['kustomize', join(ROOT, 'k8s/overlays', name)], { encoding: 'utf8' }),
  );
}

function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
