/** `deploy/compose/compose.yaml`, as a test reads it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ROOT } from './manifests.ts';

const Service = z.looseObject({
  image: z.string(),
  entrypoint: z.array(z.string()).default([]),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  profiles: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  volumes: z.array(z.string()).default([]),
  stop_grace_period: z
    .string()
    .regex(/^\d+s$/)
    .optional(),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
});
const Stack = z.looseObject({
  services: z.record(z.string(), Service),
  volumes: z.record(z.string(), z.unknown()),
});

/** One service of the stack. */
export type ComposeService = z.infer<typeof Service>;

/** The stack as its file says it, anchors followed; variables are left as they are written. */
export const COMPOSE_DOCUMENT: unknown = parse(
  readFileSync(join(ROOT, 'deploy/compose/compose.yaml'), 'utf8'),
  { merge: true },
);

/** Its services and volumes. */
export const { services: SERVICES, volumes: VOLUMES } = Stack.parse(COMPOSE_DOCUMENT);

/** The services that are the product. */
export const OURS = Object.entries(SERVICES).filter(([, { image }]) => image === 'hongbao');

/** A service by its name. Throws Error when there is none. */
export function serviceNamed(name: string): ComposeService {
  const service = SERVICES[name];
  if (service === undefined) throw new Error(`compose.yaml has no service ${name}`);
  return service;
}

/** What a text of the file is once variables have their defaults, and `$$` is a dollar. */
export function withDefaults(text: string): string {
  return text.replace(/\$\{\w+:-([^}]*)\}/g, '$1').replaceAll('$$', '$');
}

/** The variables of a service, with defaults. */
export function environmentOf(service: ComposeService): Record<string, string> {
  return Object.fromEntries(
    Object.entries(service.environment).map(([name, value]) => [name, withDefaults(value)]),
  );
}

/** What a service runs: entry point and command, files of this repository in place of those mounted from it. */
export function commandOf(service: ComposeService): string[] {
  const mounted = service.volumes.map((volume) => volume.split(':'));
  return [...service.entrypoint, ...service.command].map((argument) => {
    const [source] = mounted.find(([, target]) => target === argument) ?? [];
    return source === undefined ? argument : join(ROOT, 'deploy/compose', source);
  });
}
