/** The rules, their tests and the queries of dashboards, as they are committed. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { DASHBOARDS } from '../../tools/dashboards/all-dashboards.ts';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Folder of the rules. */
export const RULES = join(ROOT, 'deploy/prometheus/rules');
/** Folder of their tests. */
export const RULE_TESTS = join(ROOT, 'deploy/prometheus/tests');

const Alert = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['page', 'ticket']) }),
  annotations: z.strictObject({
    summary: z.string().min(10),
    description: z.string().min(10),
    runbook_url: z.url(),
  }),
});
const Recording = z.strictObject({ record: z.string(), expr: z.string() });
const RuleFile = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      interval: z.string().optional(),
      rules: z.array(z.union([Alert, Recording])),
    }),
  ),
});
const TestFile = z.looseObject({
  rule_files: z.array(z.string()),
  group_eval_order: z.array(z.string()).optional(),
  tests: z.array(
    z.looseObject({
      name: z.string(),
      alert_rule_test: z.array(z.looseObject({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })),
    }),
  ),
});

/** Paths of the YAML files in a folder. */
export function yamlFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(folder, name));
}

const groupsIn = (path: string) => RuleFile.parse(parse(readFileSync(path, 'utf8'))).groups;

const rules = yamlFiles(RULES).flatMap((path) => groupsIn(path).flatMap((group) => group.rules));

/** Every alert. */
export const alerts = rules.filter((rule) => 'alert' in rule);
/** Every recording rule. */
export const recordings = rules.filter((rule) => 'record' in rule);

/** The tests of an alert: how many alerts each expects. Throws when it has none. */
export function testsOf(alert: string): { readonly name: string; readonly expected: number }[] {
  const path = join(RULE_TESTS, `${kebab(alert)}.yaml`);
  return TestFile.parse(parse(readFileSync(path, 'utf8'))).tests.flatMap(({ name, alert_rule_test }) =>
    alert_rule_test
      .filter(({ alertname }) => alertname === alert)
      .map(({ exp_alerts }) => ({ name, expected: exp_alerts.length })),
  );
}

/** Names of the groups that each file of tests loads, in the order of its files, and the order it asks for. */
export function groupOrders(): {
  readonly path: string;
  readonly loaded: string[];
  readonly asked: string[];
}[] {
  return yamlFiles(RULE_TESTS).map((path) => {
    const { rule_files, group_eval_order = [] } = TestFile.parse(parse(readFileSync(path, 'utf8')));
    const groups = rule_files.flatMap((file) => groupsIn(join(RULE_TESTS, file)));
    return { path, loaded: groups.map(({ name }) => name), asked: group_eval_order };
  });
}

/** The name of an alert in file names. */
export function kebab(alert: string): string {
  return alert.replaceAll(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}

/** Every query of every panel, as written in the definitions. */
export const panelQueries = DASHBOARDS.flatMap(({ uid, rows }) =>
  rows.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) =>
      queries.map(({ expression }) => ({ panel: `${uid}: ${title}`, expression })),
    ),
  ),
);

/** Whether this machine has a program. */
export function hasProgram(name: string): boolean {
  return spawnSync(name, ['--version']).status === 0;
}
