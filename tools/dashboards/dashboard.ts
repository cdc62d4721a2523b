/** A dashboard as Grafana loads it. */
import type { Dashboard, Panel, Row } from './panel.ts';

const SCREEN_WIDTH = 24;
const PANEL_WIDTH = 8;
const PANEL_HEIGHT = 8;
const STAT_HEIGHT = 4;
/** The version of the format, which Grafana brings up to date when it loads an older one. */
const SCHEMA_VERSION = 39;
const DATASOURCE = { type: 'prometheus', uid: '$datasource' };
const SELECTION = 'namespace=~"$namespace",instance=~"$instance"';

/** The JSON of a dashboard, with a line feed at its end. */
export function dashboardJson(dashboard: Dashboard): string {
  const { uid, title, description, tags, rows } = dashboard;
  const model = {
    id: null,
    uid,
    title,
    description,
    tags: ['hongbao', ...tags],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: false,
    graphTooltip: 1,
    refresh: '30s',
    timezone: 'browser',
    time: { from: 'now-1h', to: 'now' },
    annotations: { list: [] },
    links: [link('Dashboards of hongbao')],
    templating: { list: variables(dashboard.hasMethods === true) },
    panels: layOut(rows),
  };
  return `${JSON.stringify(model, undefined, 2)}\n`;
}

function link(title: string) {
  return {
    type: 'dashboards',
    title,
    tags: ['hongbao'],
    asDropdown: true,
    includeVars: true,
    keepTime: true,
  };
}

function variables(hasMethods: boolean) {
  const datasource = { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' };
  const methods = 'label_values(grpc_server_started_total{namespace=~"$namespace"}, grpc_method)';
  return [
    { ...datasource, current: {}, hide: 0, refresh: 1 },
    choice('namespace', 'Namespace', 'label_values(promo_build_info, namespace)'),
    choice('instance', 'Process', 'label_values(promo_build_info{namespace=~"$namespace"}, instance)'),
    ...(hasMethods ? [choice('method', 'Method', methods)] : []),
  ];
}

/** `All` is `.*`, so that a label nobody sets, such as the namespace on one machine, hides nothing. */
function choice(name: string, label: string, query: string) {
  return {
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    query: { query, refId: name },
    definition: query,
    includeAll: true,
    allValue: '.*',
    multi: true,
    current: { text: ['All'], value: ['$__all'] },
    refresh: 2,
    sort: 1,
    hide: 0,
  };
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** Panels from left to right, rows from top to bottom; ids are counted in that order. */
function layOut(rows: readonly Row[]) {
  const placed: object[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    placed.push({
      id: placed.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: place(0, y, SCREEN_WIDTH, 1),
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of panels) {
      const { w, h } = sizeOf(panel);
      if (x + w > SCREEN_WIDTH) [x, y, height] = [0, y + height, 0];
      placed.push(panelModel(panel, placed.length + 1, place(x, y, w, h)));
      [x, height] = [x + w, Math.max(height, h)];
    }
    y += height;
  }
  return placed;
}

function place(x: number, y: number, w: number, h: number): Place {
  return { x, y, w, h };
}

function sizeOf({ kind, width = PANEL_WIDTH }: Panel): { readonly w: number; readonly h: number } {
  return { w: width, h: kind === 'stat' ? STAT_HEIGHT : PANEL_HEIGHT };
}

function panelModel(panel: Panel, id: number, gridPos: Place) {
  const { kind, title, description, queries, unit } = panel;
  const isMoment = kind !== 'timeseries';
  return {
    id,
    type: kind,
    title,
    description,
    datasource: DATASOURCE,
    gridPos,
    targets: queries.map(({ expression, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: DATASOURCE,
      editorMode: 'code',
      expr: expression.replaceAll('$s', SELECTION),
      legendFormat: legend,
      range: !isMoment,
      instant: isMoment,
      ...(kind === 'table' && { format: 'table' }),
    })),
    fieldConfig: { defaults: { unit, min: 0, ...custom(panel), ...thresholds(panel) }, overrides: [] },
    options: options(kind),
  };
}

function custom({ kind, isStacked }: Panel): object {
  if (kind !== 'timeseries') return {};
  const stacking = { mode: isStacked === true ? 'normal' : 'none', group: 'A' };
  return {
    custom: { lineWidth: 1, fillOpacity: isStacked === true ? 30 : 0, showPoints: 'never', stacking },
  };
}

/** A colour from a value on; null = from below everything. */
interface Step {
  readonly color: 'green' | 'red';
  readonly value: number | null;
}

function thresholds({ redFrom, redBelow }: Panel): object {
  const steps: Step[] = [{ color: redBelow === undefined ? 'green' : 'red', value: null }];
  if (redBelow !== undefined) steps.push({ color: 'green', value: redBelow });
  if (redFrom !== undefined) steps.push({ color: 'red', value: redFrom });
  return { thresholds: { mode: 'absolute', steps } };
}

function options(kind: Panel['kind']): object {
  switch (kind) {
    case 'timeseries':
      return {
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
    case 'stat':
      return {
        reduceOptions: { calcs: ['lastNotNull'] },
        colorMode: 'value',
        graphMode: 'none',
        textMode: 'auto',
      };
    case 'bargauge':
      return { reduceOptions: { calcs: ['lastNotNull'] }, orientation: 'horizontal', displayMode: 'basic' };
    case 'table':
      return { showHeader: true, cellHeight: 'sm' };
  }
}
