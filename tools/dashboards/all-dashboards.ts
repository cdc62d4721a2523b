/** Every dashboard, and the files they become. */
import { business } from './business.ts';
import { claims } from './claims.ts';
import { dashboardJson } from './dashboard.ts';
import { evaluation } from './evaluation.ts';
import { ledger } from './ledger.ts';
import { overview } from './overview.ts';
import type { Dashboard } from './panel.ts';
import { runtime } from './runtime.ts';

/** Where the files are, from the top of the repository. */
export const DASHBOARD_FOLDER = 'deploy/grafana/dashboards';

/** All of them, the most general first. */
export const DASHBOARDS: readonly Dashboard[] = [overview, claims, evaluation, ledger, runtime, business];

/** Path to content of every file. */
export function dashboardFiles(): Map<string, string> {
  return new Map(
    DASHBOARDS.map((dashboard) => [`${DASHBOARD_FOLDER}/${dashboard.uid}.json`, dashboardJson(dashboard)]),
  );
}
