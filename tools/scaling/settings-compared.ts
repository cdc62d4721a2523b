/** The settings that are compared: what the overlays deploy, and what else one might think of. */
import { deployedRules, type ScaledOverlay } from './deployed-rules.ts';
import type { ScalingRules, Signal } from './scaling-rules.ts';

/** Rules with a name for tables and legends. */
export interface Setting {
  readonly label: string;
  readonly rules: ScalingRules;
  /** Whether an overlay deploys exactly this. */
  readonly isDeployed: boolean;
}

/** Targets of CPU one reads of, percent of the request. */
const CPU_TARGETS = [70, 60, 50, 40, 35, 30];
const MIN_REPLICAS = [6, 12, 20];
const IN_FLIGHT_TARGETS = [800, 400, 200, 100];

/** What an overlay deploys. */
export function deployed(overlay: ScaledOverlay): Setting {
  return { label: `\`${overlay}\` as deployed`, rules: deployedRules(overlay), isDeployed: true };
}

/** Every setting, those that are deployed first. */
export function settingsCompared(): Setting[] {
  const [prod, adapter, keda] = [deployed('prod'), deployed('adapter'), deployed('keda')];
  return [
    prod,
    adapter,
    keda,
    ...CPU_TARGETS.map((percent) => changed(`CPU ${percent} %`, withCpu(prod.rules, percent))),
    changed('event loops alone', only(adapter.rules, 'event-loop')),
    ...IN_FLIGHT_TARGETS.map((calls) =>
      changed(`calls under way alone, ${calls} per pod`, withTarget(only(adapter.rules, 'in-flight'), calls)),
    ),
    ...MIN_REPLICAS.map((minReplicas) =>
      changed(`\`prod\`, never below ${minReplicas} pods`, { ...prod.rules, minReplicas }),
    ),
  ];
}

function changed(label: string, rules: ScalingRules): Setting {
  return { label, rules, isDeployed: false };
}

/** The rules with another target of CPU, percent of the request. */
export function withCpu(rules: ScalingRules, percent: number): ScalingRules {
  const metrics = rules.metrics.map((metric) =>
    metric.signal === 'cpu' ? { ...metric, target: percent / 100 } : metric,
  );
  return { ...rules, metrics };
}

function only(rules: ScalingRules, signal: Signal): ScalingRules {
  return { ...rules, metrics: rules.metrics.filter((metric) => metric.signal === signal) };
}

function withTarget(rules: ScalingRules, target: number): ScalingRules {
  return { ...rules, metrics: rules.metrics.map((metric) => ({ ...metric, target })) };
}
