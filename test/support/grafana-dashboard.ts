import { z } from 'zod';

/**
 * The parts of Grafana's classic dashboard model that the board uses, and nothing else: an unknown or misspelt property is
 * refused. Transcribed from the JSON schemas of Grafana's Foundation SDK (grafana/grafana-foundation-sdk on GitHub, the
 * files dashboard, timeseries and stat in the folder jsonschema), which no package ships. Properties that Grafana fills in
 * are not required, and those of exported files (`__inputs`, `__requires`, `definition`) are added, as in
 * https://grafana.com/docs/grafana/latest/visualizations/dashboards/build-dashboards/view-dashboard-json-model/.
 */

const whole = z.int().min(0);
const text = z.string().min(1);
const nothing = z.array(z.never());
/** The Prometheus that is chosen at the top of the board. */
const datasource = z.strictObject({
  type: z.literal('prometheus'),
  uid: z.string().regex(/^\$\{datasource\}$/),
});

const gridPos = z
  .strictObject({ h: whole.min(1), w: whole.min(1).max(24), x: whole.max(23), y: whole })
  .refine(({ x, w }) => x + w <= 24, 'a panel is wider than the board');

const targets = z
  .array(z.strictObject({ refId: z.string().regex(/^[A-Z]$/), datasource, expr: text, legendFormat: text }))
  .min(1)
  .refine(
    (all) => new Set(all.map(({ refId }) => refId)).size === all.length,
    'two queries have the same refId',
  );

/** Ids of Grafana's value formats. */
const unit = z.enum(['none', 'bytes', 'ops', 'percentunit', 'reqps', 's']);

const thresholds = z.strictObject({
  mode: z.enum(['absolute', 'percentage']),
  steps: z
    .array(z.strictObject({ color: text, value: z.number().nullable() }))
    .refine(
      (steps) => steps.every(({ value }, index) => (value === null) === (index === 0)),
      'the first step, and no other, begins at null',
    ),
});

const panel = { id: whole.min(1), title: text, gridPos };
const graph = { ...panel, description: z.string(), datasource, targets };

const row = z.strictObject({ ...panel, type: z.literal('row'), collapsed: z.boolean(), panels: nothing });

const stat = z.strictObject({
  ...graph,
  type: z.literal('stat'),
  fieldConfig: z.strictObject({ defaults: z.strictObject({ unit, thresholds }), overrides: nothing }),
  options: z.strictObject({
    reduceOptions: z.strictObject({
      calcs: z.array(z.enum(['lastNotNull', 'last', 'mean', 'max', 'min'])).min(1),
    }),
    colorMode: z.enum(['value', 'background', 'background_solid', 'none']),
    graphMode: z.enum(['none', 'line', 'area']),
    textMode: z.enum(['auto', 'value', 'value_and_name', 'name', 'none']),
  }),
});

const timeseries = z.strictObject({
  ...graph,
  type: z.literal('timeseries'),
  fieldConfig: z.strictObject({
    defaults: z.strictObject({
      unit,
      min: z.number().optional(),
      max: z.number().optional(),
      custom: z.strictObject({
        fillOpacity: whole.max(100),
        lineWidth: whole.max(10),
        showPoints: z.enum(['auto', 'never', 'always']),
        stacking: z.strictObject({ mode: z.enum(['none', 'normal', 'percent']) }),
      }),
    }),
    overrides: nothing,
  }),
  options: z.strictObject({
    legend: z.strictObject({
      displayMode: z.enum(['list', 'table', 'hidden']),
      placement: z.enum(['bottom', 'right']),
    }),
    tooltip: z.strictObject({
      mode: z.enum(['single', 'multi', 'none']),
      sort: z.enum(['asc', 'desc', 'none']),
    }),
  }),
});

const variable = { name: z.string().regex(/^\w+$/), label: text };
const variables = z.discriminatedUnion('type', [
  z.strictObject({
    ...variable,
    type: z.literal('datasource'),
    query: z.literal('prometheus'),
    current: z.strictObject({}),
  }),
  z.strictObject({
    ...variable,
    type: z.literal('query'),
    datasource,
    query: z.strictObject({ query: text, refId: text }),
    definition: text,
    /** 0: never, 1: with the board, 2: with its range of time. */
    refresh: z.literal([0, 1, 2]),
    includeAll: z.boolean(),
    multi: z.boolean(),
    current: z.strictObject({ text, value: text }),
    sort: whole.max(8),
  }),
]);

export const grafanaDashboard = z.strictObject({
  __inputs: nothing,
  __requires: z.array(
    z.strictObject({ type: z.enum(['grafana', 'datasource', 'panel']), id: text, name: text, version: text }),
  ),
  uid: z.string().regex(/^[\w-]{1,40}$/),
  title: text,
  description: text,
  tags: z.array(text),
  schemaVersion: whole.min(36),
  version: whole,
  editable: z.boolean(),
  /** 0: off, 1: shared crosshair, 2: shared crosshair and tooltip. */
  graphTooltip: z.literal([0, 1, 2]),
  refresh: z.string().regex(/^\d+[smhd]$/),
  time: z.strictObject({ from: text, to: text }),
  timezone: z.string(),
  templating: z.strictObject({ list: z.array(variables) }),
  annotations: z.strictObject({ list: nothing }),
  links: nothing,
  panels: z.array(z.discriminatedUnion('type', [row, stat, timeseries])),
});
