/**
 * The objects of an overlay after its patches: as much of kustomize as `k8s/` uses for objects that decide about scaling (resources,
 * JSON patches, deletions), so that nobody needs kubectl to generate the docs. Where kubectl is installed a test holds it to kubectl's own rendering.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '../..');

const Operation = z.object({ op: z.enum(['add', 'replace']), path: z.string(), value: z.unknown() });
const Kustomization = z.looseObject({
  resources: z.array(z.string()).default([]),
  patches: z
    .array(
      z.object({ target: z.object({ kind: z.string(), name: z.string() }).optional(), patch: z.string() }),
    )
    .default([]),
});
const KubernetesObject = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });
const Deletion = KubernetesObject.extend({ $patch: z.literal('delete') });

/** One object, not looked into. */
export type KubernetesObject = z.infer<typeof KubernetesObject>;

/** The objects of `k8s/overlays/<name>`, patched. @throws Error for what this does not understand. */
export function renderedOverlay(name: string): KubernetesObject[] {
  return renderFolder(join(ROOT, 'k8s/overlays', name));
}

/** The only object of a kind and name; undefined when there is none. */
export function findObject(
  objects: readonly KubernetesObject[],
  kind: string,
  name: string,
): KubernetesObject | undefined {
  return objects.find((object) => isNamed(object, kind, name));
}

function renderFolder(folder: string): KubernetesObject[] {
  const { resources, patches } = Kustomization.parse(
    parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')),
  );
  const objects = resources.flatMap((resource) => readResource(join(folder, resource)));
  return patches.reduce((patched, { target, patch }) => applyPatch(patched, target, patch), objects);
}

function readResource(path: string): KubernetesObject[] {
  if (statSync(path).isDirectory()) return renderFolder(path);
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) =>
    KubernetesObject.parse(document.toJS()),
  );
}

function applyPatch(
  objects: readonly KubernetesObject[],
  target: { readonly kind: string; readonly name: string } | undefined,
  patch: string,
): KubernetesObject[] {
  const body: unknown = parse(patch);
  if (target === undefined) {
    const { kind, metadata } = Deletion.parse(body);
    return objects.filter((object) => !isNamed(object, kind, metadata.name));
  }
  const operations = z.array(Operation).parse(body);
  return objects.map((object) =>
    isNamed(object, target.kind, target.name)
      ? KubernetesObject.parse(operations.reduce(applyOperation, structuredClone(object)))
      : object,
  );
}

function isNamed(object: KubernetesObject, kind: string, name: string): boolean {
  return object.kind === kind && object.metadata.name === name;
}

const Node = z.record(z.string(), z.unknown());

function applyOperation<T>(object: T, { op, path, value }: z.infer<typeof Operation>): T {
  const keys = path.split('/').slice(1);
  const last = keys.pop() ?? '';
  const parent = keys.reduce<unknown>((node, key) => child(node, key, path), object);
  if (Array.isArray(parent) && op === 'add' && last === '-') parent.push(value);
  else if (Array.isArray(parent) && op === 'replace' && Number(last) < parent.length)
    parent[Number(last)] = value;
  else if (isNode(parent) && (op === 'add' || last in parent)) parent[last] = value;
  else throw new Error(`cannot ${op} ${path}: there is nothing there`);
  return object;
}

function child(node: unknown, key: string, path: string): unknown {
  if (Array.isArray(node) && Number(key) < node.length) return node[Number(key)];
  if (isNode(node) && key in node) return node[key];
  throw new Error(`the patch of ${path} goes nowhere: there is no ${key}`);
}

function isNode(value: unknown): value is Record<string, unknown> {
  return Node.safeParse(value).success;
}
