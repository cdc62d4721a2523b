/** The rules of scaling as an overlay deploys them, read from its manifests: nothing of them is written down a second time. */
import { z } from 'zod';
import { findObject, type KubernetesObject, renderedOverlay } from './rendered-overlay.ts';
import type {
  MetricRule,
  ScalingBehaviour,
  ScalingRules,
  ScheduledReplicas,
  Signal,
} from './scaling-rules.ts';

/** The overlays that scale. */
export const SCALED_OVERLAYS = ['prod', 'adapter', 'keda'] as const;

/** One of them. */
export type ScaledOverlay = (typeof SCALED_OVERLAYS)[number];

const NAME = 'hongbao-serve';
/** What a metric is measured by, by a word of its name or query. */
const SIGNALS: ReadonlyMap<string, Signal> = new Map([
  ['event_loop', 'event-loop'],
  ['in_flight', 'in-flight'],
]);

/** How often metrics-server reads usage (its default); it gives the average since the reading before. */
const METRICS_SERVER_SECONDS = 15;

const Policy = z.object({ type: z.enum(['Pods', 'Percent']), value: z.number(), periodSeconds: z.number() });
/** Defaults are those of Kubernetes. */
const Behaviour = z.object({
  stabilizationWindowSeconds: z.number(),
  selectPolicy: z.enum(['Max', 'Min', 'Disabled']).default('Max'),
  policies: z.array(Policy),
});
const Behaviours = z.object({ scaleUp: Behaviour, scaleDown: Behaviour });
const Metric = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('Resource'),
    resource: z.object({
      name: z.literal('cpu'),
      target: z.object({ type: z.literal('Utilization'), averageUtilization: z.number() }),
    }),
  }),
  z.object({
    type: z.literal('Pods'),
    pods: z.object({
      metric: z.object({ name: z.string() }),
      target: z.object({ type: z.literal('AverageValue'), averageValue: z.string() }),
    }),
  }),
]);
const HorizontalAutoscaler = z.looseObject({
  spec: z.object({
    scaleTargetRef: z.looseObject({ name: z.literal(NAME) }),
    minReplicas: z.number(),
    maxReplicas: z.number(),
    metrics: z.array(Metric),
    behavior: Behaviours,
  }),
});
const Trigger = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('cpu'),
    metricType: z.literal('Utilization'),
    metadata: z.object({ value: z.string() }),
  }),
  z.object({
    type: z.literal('prometheus'),
    metadata: z.looseObject({ query: z.string(), threshold: z.string() }),
  }),
  z.object({
    type: z.literal('cron'),
    metadata: z.looseObject({ start: z.string(), end: z.string(), desiredReplicas: z.string() }),
  }),
]);
const ScaledObject = z.looseObject({
  spec: z.looseObject({
    scaleTargetRef: z.looseObject({ name: z.literal(NAME) }),
    minReplicaCount: z.number(),
    maxReplicaCount: z.number(),
    advanced: z.object({ horizontalPodAutoscalerConfig: z.object({ behavior: Behaviours }) }),
    triggers: z.array(Trigger),
  }),
});
const Container = z.looseObject({
  resources: z.looseObject({ requests: z.looseObject({ cpu: z.string() }) }),
});
const Deployment = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({ spec: z.looseObject({ containers: z.tuple([Container], Container) }) }),
  }),
});
const Endpoint = z.looseObject({ interval: z.string() });
const PodMonitor = z.looseObject({
  spec: z.looseObject({ podMetricsEndpoints: z.tuple([Endpoint], Endpoint) }),
});
const AdapterRules = z.looseObject({ data: z.object({ 'rules.yaml': z.string() }) });

/** The rules of an overlay. @throws when its manifests say what this model does not know. */
export function deployedRules(overlay: ScaledOverlay): ScalingRules {
  const objects = renderedOverlay(overlay);
  const requestedCores = coresOf(objects);
  const scaled = findObject(objects, 'ScaledObject', NAME);
  const scrapeSeconds = scrapeSecondsOf(objects);
  return scaled === undefined
    ? { ...horizontalRules(objects, scrapeSeconds), requestedCores }
    : { ...kedaRules(scaled, scrapeSeconds), requestedCores };
}

type WithoutRequest = Omit<ScalingRules, 'requestedCores'>;

function horizontalRules(objects: readonly KubernetesObject[], lagSeconds: number): WithoutRequest {
  const { spec } = HorizontalAutoscaler.parse(findObject(objects, 'HorizontalPodAutoscaler', NAME));
  const adapter = findObject(objects, 'ConfigMap', 'hongbao-adapter-rules');
  const queries = adapter === undefined ? '' : AdapterRules.parse(adapter).data['rules.yaml'];
  return {
    minReplicas: spec.minReplicas,
    maxReplicas: spec.maxReplicas,
    metrics: spec.metrics.map((metric) => horizontalMetric(metric, queries, lagSeconds)),
    schedules: [],
    ...behavioursOf(spec.behavior),
  };
}

function horizontalMetric(metric: z.infer<typeof Metric>, queries: string, lagSeconds: number): MetricRule {
  if (metric.type === 'Resource') return cpuRule(metric.resource.target.averageUtilization);
  const { metric: named, target } = metric.pods;
  const query = new RegExp(`as: ${named.name}\\n\\s*metricsQuery: (.*)`).exec(queries)?.[1];
  if (query === undefined) throw new Error(`no rule of the adapter makes ${named.name}`);
  return {
    signal: signalOf(named.name),
    target: quantity(target.averageValue),
    windowSeconds: windowOf(query),
    lagSeconds,
    isTotal: false,
  };
}

function kedaRules(object: KubernetesObject, lagSeconds: number): WithoutRequest {
  const { spec } = ScaledObject.parse(object);
  return {
    minReplicas: spec.minReplicaCount,
    maxReplicas: spec.maxReplicaCount,
    metrics: spec.triggers.flatMap((trigger) => triggerMetric(trigger, lagSeconds)),
    schedules: spec.triggers.flatMap(triggerSchedule),
    ...behavioursOf(spec.advanced.horizontalPodAutoscalerConfig.behavior),
  };
}

function triggerMetric(trigger: z.infer<typeof Trigger>, lagSeconds: number): MetricRule[] {
  if (trigger.type === 'cpu') return [cpuRule(Number(trigger.metadata.value))];
  if (trigger.type === 'cron') return [];
  const { query, threshold } = trigger.metadata;
  const target = Number(threshold);
  return [{ signal: signalOf(query), target, windowSeconds: windowOf(query), lagSeconds, isTotal: true }];
}

function triggerSchedule(trigger: z.infer<typeof Trigger>): ScheduledReplicas[] {
  if (trigger.type !== 'cron') return [];
  const { start, end, desiredReplicas } = trigger.metadata;
  return [{ startMinute: minuteOf(start), endMinute: minuteOf(end), replicas: Number(desiredReplicas) }];
}

/** Minute of the day of a cron line that names one. */
function minuteOf(cron: string): number {
  const [minute, hour] = cron.split(' ').map(Number);
  if (minute === undefined || hour === undefined || Number.isNaN(minute + hour))
    throw new Error(`"${cron}" names no single moment of the day`);
  return hour * 60 + minute;
}

function cpuRule(percent: number): MetricRule {
  const seconds = METRICS_SERVER_SECONDS;
  return {
    signal: 'cpu',
    target: percent / 100,
    windowSeconds: seconds,
    lagSeconds: seconds,
    isTotal: false,
  };
}

function behavioursOf({ scaleUp, scaleDown }: z.infer<typeof Behaviours>): {
  readonly scaleUp: ScalingBehaviour;
  readonly scaleDown: ScalingBehaviour;
} {
  return { scaleUp: behaviourOf(scaleUp), scaleDown: behaviourOf(scaleDown) };
}

function behaviourOf(behaviour: z.infer<typeof Behaviour>): ScalingBehaviour {
  const { stabilizationWindowSeconds: stabilizationSeconds, selectPolicy, policies } = behaviour;
  return { stabilizationSeconds, selectPolicy, policies };
}

function signalOf(text: string): Signal {
  const signal = [...SIGNALS].find(([word]) => text.includes(word))?.[1];
  if (signal === undefined) throw new Error(`"${text}" is no figure the simulation knows`);
  return signal;
}

/** Seconds of the range a query looks back over; 0 when it takes the value of the moment. */
function windowOf(query: string): number {
  const [, count, unit] = /\[(\d+)([sm])\]/.exec(query) ?? [];
  return Number(count ?? 0) * (unit === 'm' ? 60 : 1);
}

/** A quantity of Kubernetes, such as 700m or 400. */
function quantity(text: string): number {
  return text.endsWith('m') ? Number(text.slice(0, -1)) / 1_000 : Number(text);
}

/** How often Prometheus reads the pods: the age of what it knows. */
function scrapeSecondsOf(objects: readonly KubernetesObject[]): number {
  const { spec } = PodMonitor.parse(findObject(objects, 'PodMonitor', 'hongbao'));
  const [endpoint] = spec.podMetricsEndpoints;
  if (!endpoint.interval.endsWith('s')) throw new Error(`an interval in seconds, not ${endpoint.interval}`);
  return Number(endpoint.interval.slice(0, -1));
}

function coresOf(objects: readonly KubernetesObject[]): number {
  const { spec } = Deployment.parse(findObject(objects, 'Deployment', NAME));
  return quantity(spec.template.spec.containers[0].resources.requests.cpu);
}
