/** Every load against every setting, and what the surroundings make of it: all figures of docs/scaling.md. */
import { allVariables } from '../../src/config/config.ts';
import { ALWAYS_ADMITTED } from '../../src/transport/admission.ts';
import { FLASH_SALE, type LoadCurve, ORDINARY_DAY, PUSH_MESSAGE, SURPRISE } from './load-curves.ts';
import { callCost, type Measured, startSeconds } from './service-costs.ts';
import { deployed, type Setting, settingsCompared } from './settings-compared.ts';
import { type ScalingOutcome, type Surroundings, simulateScaling } from './simulate-scaling.ts';

/** Time to place a pod and to start its container, on a node that has room and the image, seconds. Not measured: a cluster's business. */
const PLACING_SECONDS = 2;
/** The probe looks once a second, and balancers learn of the pod. */
const PROBE_SECONDS = 1;
const ENDPOINT_SECONDS = 1;
/** Where there is no room: a machine has to be made, start, join and load the image. */
const NEW_NODE_SECONDS = 120;
/** Ages of figures where Prometheus reads less often, or is slow. */
const SLOW_METRIC_LAGS = [15, 30, 60];

/** One run. */
export interface StudyRow {
  readonly setting: Setting;
  readonly outcome: ScalingOutcome;
}

/** One load against many settings. */
export interface LoadStudy {
  readonly load: LoadCurve;
  readonly rows: readonly StudyRow[];
}

/** One setting in other surroundings. */
export interface SurroundingsRow {
  readonly label: string;
  readonly outcome: ScalingOutcome;
}

/** Everything. */
export interface ScalingStudy {
  readonly measured: Measured;
  readonly surroundings: Surroundings;
  readonly loads: readonly LoadStudy[];
  /** The overlay `adapter` under the crowd nobody announced. */
  readonly variations: readonly SurroundingsRow[];
}

/** Runs all of it; the same measured figures and manifests give the same study. */
export function studyScaling(measured: Measured): ScalingStudy {
  const surroundings = usualSurroundings(measured);
  const settings = settingsCompared();
  const loads = [FLASH_SALE, SURPRISE, PUSH_MESSAGE, ORDINARY_DAY].map((load) => ({
    load,
    rows: settings.map((setting) => ({ setting, outcome: run(setting, load, measured, surroundings) })),
  }));
  return { measured, surroundings, loads, variations: varySurroundings(measured, surroundings) };
}

function run(
  { rules }: Setting,
  load: LoadCurve,
  measured: Measured,
  surroundings: Surroundings,
): ScalingOutcome {
  return simulateScaling(rules, load, callCost(measured, load.evaluationShare), surroundings);
}

function varySurroundings(measured: Measured, usual: Surroundings): SurroundingsRow[] {
  const setting = deployed('adapter');
  const row = (label: string, changes: Partial<Surroundings>): SurroundingsRow => ({
    label,
    outcome: run(setting, SURPRISE, measured, { ...usual, ...changes }),
  });
  const connectionSeconds = [defaultOf('HONGBAO_CONNECTIONS_MAX_AGE_MS') / 1e3, 120, 60, 20];
  return [
    row('as above', {}),
    ...SLOW_METRIC_LAGS.map((lag) => row(`figures ${lag} s old`, { leastLagSeconds: lag })),
    row('nothing compiled ahead', { podStartSeconds: podStartSeconds(measured.coldStartMillis) }),
    row(`no room: ${NEW_NODE_SECONDS} s for a machine`, {
      podStartSeconds: usual.podStartSeconds + NEW_NODE_SECONDS,
    }),
    ...connectionSeconds.map((seconds) =>
      row(`connections stay on their pod for ${seconds} s`, { connectionSeconds: seconds }),
    ),
  ];
}

/** Room on the nodes, each call balanced by a proxy or a mesh, the product's default limits. */
function usualSurroundings(measured: Measured): Surroundings {
  return {
    podStartSeconds: podStartSeconds(measured.cachedStartMillis),
    leastLagSeconds: 0,
    connectionSeconds: 0,
    admission: {
      alwaysAdmitted: ALWAYS_ADMITTED,
      maxInFlight: defaultOf('HONGBAO_LIMITS_MAX_IN_FLIGHT'),
      targetLatencySeconds: defaultOf('HONGBAO_LIMITS_TARGET_LATENCY_MS') / 1e3,
    },
  };
}

function podStartSeconds(starts: readonly number[]): number {
  return PLACING_SECONDS + startSeconds(starts) + PROBE_SECONDS + ENDPOINT_SECONDS;
}

function defaultOf(name: string): number {
  const variable = allVariables().find((known) => known.name === name);
  if (variable === undefined) throw new Error(`there is no setting ${name}`);
  return Number(variable.schema.parse(undefined));
}
