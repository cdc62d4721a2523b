/** The rules of Prometheus as the object its operator reads. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';

const RULES = 'deploy/prometheus/rules';
/** Where the object is, from the top of the repository. */
const MANIFEST = 'k8s/overlays/prod/prometheus-rule.yaml';
const RuleFile = z.object({ groups: z.array(z.unknown()) });

/** Path to content of the object. */
export function prometheusRuleFile(): Map<string, string> {
  const groups = readdirSync(RULES)
    .sort()
    .flatMap((file) => RuleFile.parse(parse(readFileSync(join(RULES, file), 'utf8'))).groups);
  const object = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'hongbao', labels: { 'app.kubernetes.io/name': 'hongbao' } },
    spec: { groups },
  };
  const head = `# Made from ${RULES} by npm run generate.\n`;
  return new Map([[MANIFEST, head + stringify(object, { lineWidth: 0 })]]);
}
