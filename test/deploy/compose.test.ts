/** The compose stack: its services, what they run, and that every setting it passes is one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { allVariables } from '../../src/config/config.ts';
import { ROOT } from './manifests.ts';

const Service = z.looseObject({
  image: z.string(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
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

const text = readFileSync(join(ROOT, 'deploy/compose/compose.yaml'), 'utf8');
const { services, volumes } = Stack.parse(parse(text, { merge: true }));
const ours = Object.entries(services).filter(([, { image }]) => image === 'hongbao');

// SPEC C7
test('two serving processes, two archivers, a migration before them, and the stores', () => {
  expect(ours.map(([, { command }]) => command?.[0]).toSorted()).toEqual([
    'archive',
    'archive',
    'migrate',
    'serve',
    'serve',
  ]);
  expect(Object.keys(services)).toEqual(expect.arrayContaining(['redis', 'postgres']));
});

test('every setting is one of the product, and every secret can be set from outside', () => {
  const names = new Set(allVariables().map(({ name }) => name));
  for (const [, { environment }] of ours)
    expect(Object.keys(environment).filter((name) => !names.has(name))).toEqual([]);
});

// SPEC C5
test('traces go from every process through the collector to a store of traces', () => {
  const Collector = z.looseObject({
    receivers: z.object({
      otlp: z.object({ protocols: z.object({ http: z.object({ endpoint: z.string() }) }) }),
    }),
    exporters: z.object({ otlp: z.looseObject({ endpoint: z.string() }) }),
  });
  const file = readFileSync(join(ROOT, 'deploy/collector/collector.yaml'), 'utf8');
  const { receivers, exporters } = Collector.parse(parse(file));
  const port = receivers.otlp.protocols.http.endpoint.split(':')[1];
  for (const [, { environment }] of ours)
    expect(environment['OTEL_EXPORTER_OTLP_ENDPOINT']).toBe(`http://collector:${port}`);
  expect(Object.keys(services)).toContain('collector');
  expect(Object.keys(services)).toContain(exporters.otlp.endpoint.split(':')[0]);
});

test('nobody waits for a service that is not there, or that cannot say when it is ready', () => {
  for (const { depends_on } of Object.values(services)) {
    for (const [name, { condition }] of Object.entries(depends_on)) {
      const awaited = services[name];
      expect(awaited, name).toBeDefined();
      if (condition === 'service_healthy') expect(awaited?.healthcheck, name).toBeDefined();
    }
  }
});

test('Redis keeps what it acknowledges and evicts nothing, and the data outlives the containers', () => {
  const command = services.redis?.command?.join(' ') ?? '';
  for (const setting of ['--appendonly yes', '--appendfsync always', '--maxmemory-policy noeviction'])
    expect(command).toContain(setting);
  for (const name of ['redis', 'postgres']) {
    const [volume = ''] = services[name]?.volumes ?? [];
    expect(Object.keys(volumes)).toContain(volume.split(':')[0]);
  }
});

test('no two services take one port of the machine', () => {
  const published = Object.values(services).flatMap(({ ports }) => ports);
  const ports = published.map((port) => port.split(':').at(-2));
  expect(new Set(ports).size).toBe(ports.length);
  // With secrets that everybody knows, nobody else may get in.
  for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:/);
});

test('whoever is told to stop has the time its drain takes', () => {
  const drainMs = ['HONGBAO_DRAIN_READINESS_DELAY_MS', 'HONGBAO_DRAIN_GRACE_MS']
    .map((name) =>
      Number(
        allVariables()
          .find((variable) => variable.name === name)
          ?.schema.parse(undefined),
      ),
    )
    .reduce((sum, ms) => sum + ms, 0);
  for (const [, { stop_grace_period }] of ours)
    expect(Number.parseInt(stop_grace_period ?? '10s', 10) * 1_000).toBeGreaterThan(drainMs);
});
