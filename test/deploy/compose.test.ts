/** The compose stack: its services, what they run, and that every setting it passes is one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { allVariables } from '../../src/config/config.ts';
import { COMPOSE_DOCUMENT, commandOf, OURS, SERVICES, serviceNamed, VOLUMES } from './compose-file.ts';
import { ROOT } from './manifests.ts';

// SPEC C7
test('the file is one of the Compose Specification, whose schema says so', () => {
  const schema: unknown = JSON.parse(
    readFileSync(join(ROOT, 'third_party/compose-spec/compose-spec.json'), 'utf8'),
  );
  const ajv = new Ajv({ strict: false, validateSchema: false, validateFormats: false, allErrors: true });
  const validate = ajv.compile(Object(schema));
  validate(COMPOSE_DOCUMENT);
  expect(validate.errors).toBeNull();
  validate({ services: { redis: { image: 'redis', helthcheck: {} } } });
  expect(validate.errors).not.toBeNull();
});

// SPEC C7
test('two serving processes, two archivers, a migration before them, an audit by hand, and the stores', () => {
  expect(OURS.map(([, { command }]) => command[0]).toSorted()).toEqual([
    'archive',
    'archive',
    'audit',
    'migrate',
    'serve',
    'serve',
  ]);
  expect(serviceNamed('audit').profiles).not.toEqual([]);
  expect(Object.keys(SERVICES)).toEqual(expect.arrayContaining(['redis', 'postgres']));
});

test('every setting is one of the product, and every secret can be set from outside', () => {
  const names = new Set(allVariables().map(({ name }) => name));
  for (const [, { environment }] of OURS)
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
  // A migration and an audit end by themselves, and record nothing.
  for (const [, { environment, command }] of OURS)
    if (command[0] === 'serve' || command[0] === 'archive')
      expect(environment['OTEL_EXPORTER_OTLP_ENDPOINT']).toBe(`http://collector:${port}`);
  expect(Object.keys(SERVICES)).toContain('collector');
  expect(Object.keys(SERVICES)).toContain(exporters.otlp.endpoint.split(':')[0]);
});

// SPEC S1
test('each process comes to the stores as a user of its own, and the default user to neither', () => {
  const usersOf = (name: string): string[] =>
    ['REDIS_URL', 'DATABASE_URL'].map((variable) => {
      const address = serviceNamed(name).environment[variable];
      return address === undefined ? '' : (/^\w+:\/\/(\w+):/.exec(address)?.[1] ?? 'nobody');
    });
  expect(usersOf('serve-1')).toEqual(['engine', 'hongbao_service']);
  expect(usersOf('serve-2')).toEqual(['engine', 'hongbao_service']);
  expect(usersOf('archive-1')).toEqual(['archive', 'hongbao_archiver']);
  expect(usersOf('archive-2')).toEqual(['archive', 'hongbao_archiver']);
  expect(usersOf('audit')).toEqual(['reader', 'hongbao_reader']);
  expect(usersOf('migrate')).toEqual(['', 'hongbao_migrator']);
});

test('roles before the tables, grants after them, and nobody serves before that', () => {
  const completed = { condition: 'service_completed_successfully' };
  expect(serviceNamed('migrate').depends_on).toEqual({ roles: completed });
  expect(serviceNamed('grants').depends_on).toEqual({ migrate: completed });
  expect(commandOf(serviceNamed('grants'))).toEqual(commandOf(serviceNamed('roles')));
  for (const name of ['serve-1', 'serve-2', 'archive-1', 'archive-2', 'audit'])
    expect(serviceNamed(name).depends_on, name).toMatchObject({ grants: completed });
});

test('nobody waits for a service that is not there, or that cannot say when it is ready', () => {
  for (const { depends_on } of Object.values(SERVICES)) {
    for (const [name, { condition }] of Object.entries(depends_on)) {
      const awaited = SERVICES[name];
      expect(awaited, name).toBeDefined();
      if (condition === 'service_healthy') expect(awaited?.healthcheck, name).toBeDefined();
    }
  }
});

test('Redis keeps what it acknowledges and evicts nothing, and the data outlives the containers', () => {
  const command = commandOf(serviceNamed('redis')).join(' ');
  for (const setting of ['--appendonly yes', '--appendfsync always', '--maxmemory-policy noeviction'])
    expect(command).toContain(setting);
  for (const name of ['redis', 'postgres']) {
    const [volume = ''] = SERVICES[name]?.volumes ?? [];
    expect(Object.keys(VOLUMES)).toContain(volume.split(':')[0]);
  }
});

test('no two services take one port of the machine', () => {
  const published = Object.values(SERVICES).flatMap(({ ports }) => ports);
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
  for (const [, { stop_grace_period }] of OURS)
    expect(Number.parseInt(stop_grace_period ?? '10s', 10) * 1_000).toBeGreaterThan(drainMs);
});
