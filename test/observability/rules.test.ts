/** Dashboards and rules against what the product really exports. SPEC C5 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { allVariables } from '../../src/config/config.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { DASHBOARDS, dashboardFiles } from '../../tools/dashboards/all-dashboards.ts';
import { AVAILABILITY, BUYER_METHODS, IN_TIME, IN_TIME_SECONDS } from '../../tools/dashboards/objectives.ts';
import {
  alerts,
  groupOrders,
  hasProgram,
  kebab,
  panelQueries,
  ROOT,
  RULE_TESTS,
  RULES,
  recordings,
  testsOf,
  yamlFiles,
} from './rules.ts';

const RUNBOOKS = join(ROOT, 'docs/runbooks');
/** Metrics of ours, of gRPC, of the process and of Node. */
const METRIC = /\b(?:promo|grpc_server|process|nodejs)_[a-z0-9_]+/g;

/** Series that recording rules make. */
const RECORDED = /\bnamespace:[a-z_]+:[a-z0-9_]+/g;

async function exportedNames(): Promise<Set<string>> {
  const text = await createMetrics({ version: 'test', node: 'test' }).registry.metrics();
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  return new Set(
    types.flatMap(([, name = '', type]) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
    ),
  );
}

describe('names', () => {
  test('every metric of a panel or a rule is exported', async () => {
    const exported = await exportedNames();
    const texts = [...panelQueries, ...alerts, ...recordings].map((query) =>
      'expression' in query ? query.expression : query.expr,
    );
    const named = texts.flatMap((text) => text.replaceAll(RECORDED, '').match(METRIC) ?? []);
    expect(new Set(named).size).toBeGreaterThan(50);
    expect([...new Set(named)].filter((name) => !exported.has(name))).toEqual([]);
  });

  test('every recorded series that is read is recorded', () => {
    const recorded = new Set(recordings.map(({ record }) => record));
    const texts = [...panelQueries.map(({ expression }) => expression), ...alerts.map(({ expr }) => expr)];
    const read = new Set(texts.flatMap((text) => text.match(RECORDED) ?? []));
    expect([...read].filter((name) => !recorded.has(name))).toEqual([]);
    expect([...recorded].filter((name) => !read.has(name))).toEqual([]);
  });

  test('what a metric of ours says is asked for somewhere', async () => {
    const texts = JSON.stringify([panelQueries, alerts, recordings]);
    const ours = [...(await exportedNames())].filter((name) => /^(promo|grpc_server)_/.test(name));
    const bare = new Set(ours.map((name) => name.replace(/_(bucket|sum|count)$/, '')));
    expect([...bare].filter((name) => !texts.includes(name))).toEqual([]);
  });
});

describe('dashboards', () => {
  test('are committed as they are made', () => {
    const files = dashboardFiles();
    for (const [path, content] of files) expect(readFileSync(join(ROOT, path), 'utf8'), path).toBe(content);
    expect(readdirSync(join(ROOT, 'deploy/grafana/dashboards'))).toHaveLength(files.size);
  });

  test.each(DASHBOARDS)('$uid: every panel says what it shows', ({ rows }) => {
    const panels = rows.flatMap((row) => row.panels);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    for (const { title, description, queries, width = 8 } of panels) {
      expect(description, title).toMatch(/^.{20,}\.$/s);
      expect(queries.length, title).toBeGreaterThan(0);
      expect(width, title).toBeLessThanOrEqual(24);
      for (const { expression, legend } of queries) {
        expect(legend, title).not.toBe('');
        expect(expression, title).not.toMatch(/\[\d+[smhd]\]/);
      }
    }
  });
});

describe('rules', () => {
  test('judge by the objectives the dashboards show', () => {
    const texts = recordings.map(({ expr }) => expr).join('\n');
    expect(texts).toContain(`grpc_method=~"${BUYER_METHODS.join('|')}", le="${IN_TIME_SECONDS}"`);
    const burns = alerts.filter(({ alert }) => alert.endsWith('Burn'));
    expect(burns).toHaveLength(4);
    for (const { alert, expr } of burns) {
      const budget = alert.includes('Latency') ? 1 - IN_TIME : 1 - AVAILABILITY;
      expect(expr, alert).toContain(`* ${Number(budget.toFixed(6))}`);
    }
  });

  test.each(alerts.map((rule) => [rule.alert, rule] as const))(
    '%s has a runbook, a test that makes it fire and one that leaves it silent',
    (name, rule) => {
      expect(rule.annotations.runbook_url).toMatch(new RegExp(`/docs/runbooks/${kebab(name)}\\.md$`));
      const text = readFileSync(join(RUNBOOKS, `${kebab(name)}.md`), 'utf8');
      for (const heading of ['What it means', 'How to look', 'What to do', 'When to worry'])
        expect(text).toContain(`\n## ${heading}\n`);
      const tests = testsOf(name);
      expect(tests.filter(({ expected }) => expected > 0)).not.toEqual([]);
      expect(tests.filter(({ expected }) => expected === 0)).not.toEqual([]);
    },
  );

  test('no runbook and no test is left of an alert that is gone', () => {
    const files = alerts.map(({ alert }) => kebab(alert)).toSorted();
    expect(readdirSync(RUNBOOKS).map((name) => name.replace('.md', ''))).toEqual(files);
    expect(readdirSync(RULE_TESTS).map((name) => name.replace('.yaml', ''))).toEqual(files);
  });

  // Otherwise promtool takes them in any order: alerts that read what is recorded find it too old now and then, and stay silent.
  test('tests over several groups say in which order they are evaluated', () => {
    const several = groupOrders().filter(({ loaded }) => loaded.length > 1);
    expect(several).not.toEqual([]);
    for (const { path, loaded, asked } of several) expect(asked, path).toEqual(loaded);
  });

  test('runbooks name what exists: other runbooks, documents, settings, metrics', async () => {
    const exported = await exportedNames();
    const settings = new Set(allVariables().map(({ name }) => name));
    for (const file of readdirSync(RUNBOOKS)) {
      const text = readFileSync(join(RUNBOOKS, file), 'utf8');
      for (const [, target = ''] of text.matchAll(/\]\(([^)]+)\)/g))
        expect(existsSync(join(RUNBOOKS, target)), `${file}: ${target}`).toBe(true);
      for (const [path] of text.matchAll(/\bdocs\/[a-z-]+\.md/g))
        expect(existsSync(join(ROOT, path)), `${file}: ${path}`).toBe(true);
      for (const [name] of text.matchAll(/\bHONGBAO_[A-Z_]+/g)) expect(settings, file).toContain(name);
      for (const [name] of text.matchAll(METRIC)) expect(exported, file).toContain(name);
    }
  });
});

const hasPromtool = hasProgram('promtool');
if (!hasPromtool) console.warn('SKIPPED: the rules are not run, because promtool is not installed');

describe.skipIf(!hasPromtool)('promtool', () => {
  const run = (...parameters: string[]) => spawnSync('promtool', parameters, { encoding: 'utf8' });

  test('accepts the rules', () => {
    const { status, stdout, stderr } = run('check', 'rules', ...yamlFiles(RULES));
    expect({ status, output: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, output: '' });
  });

  test('makes every alert fire, and leaves it silent', () => {
    const { status, stdout, stderr } = run('test', 'rules', ...yamlFiles(RULE_TESTS));
    expect({ status, output: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, output: '' });
  }, 120_000);

  test('accepts the configuration of the compose stack', () => {
    const { status, stdout, stderr } = run(
      'check',
      'config',
      join(ROOT, 'deploy/prometheus/prometheus.yaml'),
    );
    expect({ status, output: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, output: '' });
  });
});
