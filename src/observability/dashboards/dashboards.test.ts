import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { fakePackages } from '../../../test/support/fake-engine.ts';
import { grafanaDashboard } from '../../../test/support/grafana-dashboard.ts';
import { createMetrics, gauges, packageFigures } from '../prometheus/exposition.ts';
import { MetricsRecorder } from '../prometheus/recorder.ts';

const recorder = new MetricsRecorder();
const counters = Object.values(recorder.counters).map(({ definition }) => definition);
const histograms = Object.values(recorder.histograms).map(({ definition }) => definition);

const read = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8');

/** An alert, or a query whose result is recorded. */
interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly severity?: string;
  /** The longer window of an alert about an objective. */
  readonly long?: string;
  readonly summary?: string;
  readonly runbook_url?: string;
}

const dashboard = JSON.parse(read('ticket-booking.json')) as z.infer<typeof grafanaDashboard>;
const rules = rulesOf(read('alerts.yml'));
const alerts = rules.flatMap(({ alert, ...rule }) => (alert === undefined ? [] : [{ alert, ...rule }]));
const recorded = rules.flatMap(({ record }) => record ?? []);

/** Reads the rules, which all have the same layout. alert-rules.long.test.ts checks them with Prometheus's own parser. */
function rulesOf(yaml: string): Rule[] {
  const text = yaml.replace(/^ *#.*\n/gm, '').replace(/>-\n((?: {10}.*\n)+)/g, (_, lines: string) => {
    const folded = lines.trim().split(/\n\s*/).join(' ');
    return `${folded}\n`;
  });
  const [, ...blocks] = text.split(/^ {6}- (?=alert: |record: )/m);
  return blocks.map((block) => {
    const lines = [...block.matchAll(/^ *(\w+): (.+)$/gm)];
    return Object.fromEntries(
      lines.map(([, key = '', value = '']) => [key, value.replace(/^"(.*)"$/, '$1')]),
    ) as unknown as Rule;
  });
}

const dashboardQueries = dashboard.panels.flatMap((panel) =>
  panel.type === 'row' ? [] : panel.targets.map(({ expr }) => [panel.title, expr] as const),
);
const variableQueries = dashboard.templating.list.flatMap((variable) =>
  variable.type === 'query' ? [[variable.name, variable.query.query] as const] : [],
);
const allQueries = [
  ...dashboardQueries,
  ...variableQueries,
  ...rules.map(({ alert, record = '', expr }) => [alert ?? record, expr] as const),
];

/** The metrics that a query may use, with their labels. */
const labelsOf = new Map<string, readonly string[]>();

beforeAll(async () => {
  for (const { name, labels } of [...counters, ...Object.values(gauges)]) labelsOf.set(name, labels);
  for (const { name, labels } of histograms) {
    labelsOf.set(`${name}_bucket`, [...labels, 'le']);
    labelsOf.set(`${name}_sum`, labels);
    labelsOf.set(`${name}_count`, labels);
  }
  // The metrics of the process, which prom-client defines.
  const { text } = await createMetrics().expose({
    packages: () => packageFigures(fakePackages([])),
    readinessProblems: async () => [],
    failing: () => [],
    build: { version: '', node: '', engine: '', store: '' },
  });
  for (const [, name = ''] of text.matchAll(/^# TYPE ((?:nodejs|process)_\w+) /gm)) {
    labelsOf.set(name, ['kind', 'space', 'type', 'version']);
    for (const end of ['_bucket', '_sum', '_count']) labelsOf.set(name + end, ['kind', 'le']);
  }
  for (const name of ['up', ...recorded]) labelsOf.set(name, []);
});

const target = ['job', 'instance'];

describe('a query of the dashboard or of a rule', () => {
  test.each(allQueries)('%s: uses only metrics and labels that exist', (_title, expr) => {
    const names = expr.match(/\b(?:ticket_booking|nodejs|process)_\w+|\bticket_booking:[\w:]+|\bup\b/g) ?? [];
    expect(names.length).toBeGreaterThan(0);
    const allowed = new Set(target);
    for (const name of names) {
      expect([...labelsOf.keys()], name).toContain(name);
      for (const label of labelsOf.get(name) ?? []) allowed.add(label);
    }
    for (const [, name = '', selector = ''] of expr.matchAll(/(\w+)\{([^}]*)\}/g)) {
      const used = [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label);
      const own = [...(labelsOf.get(name) ?? []), ...target];
      expect(own, `${name}{${selector}}`).toEqual(expect.arrayContaining(used));
    }
    for (const [, grouped = ''] of expr.matchAll(/\bby \(([^)]*)\)/g)) {
      expect([...allowed], expr).toEqual(expect.arrayContaining(grouped.split(/,\s*/)));
    }
    if (expr.includes('histogram_quantile')) expect(expr).toMatch(/by \(le\b[^)]*\) \(rate\(\w+_bucket/);
  });

  test.each(allQueries)(
    '%s: closes its brackets, and uses counters only in rate or increase',
    (_title, expr) => {
      const bare = expr.replace(/"[^"]*"/g, '');
      for (const [open, close] of ['()', '[]', '{}']) {
        expect(bare.split(open as string).length, expr).toBe(bare.split(close as string).length);
      }
      for (const [name] of bare.matchAll(/\w+_total\b/g)) {
        expect(bare, name).toMatch(new RegExp(`(rate|increase)\\(${name}`));
      }
    },
  );
});

describe('the dashboard', () => {
  test('follows the schema of Grafana, which refuses what is missing, unknown or misspelt', () => {
    expect(grafanaDashboard.safeParse(dashboard).error?.issues ?? []).toEqual([]);
    const { title: _, ...untitled } = dashboard;
    const [row, ...panels] = dashboard.panels;
    const unknownPanel = { ...dashboard, panels: [{ ...row, type: 'rows' }, ...panels] };
    for (const wrong of [untitled, { ...dashboard, refersh: '10s' }, unknownPanel])
      expect(grafanaDashboard.safeParse(wrong).success).toBe(false);
  });

  test('can be imported: it has unique panel ids and no overlapping panels', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x},${y}`), `${title} lies over another panel`).toBe(false);
          taken.add(`${x},${y}`);
        }
      }
    }
  });

  test('begins with the four golden signals', () => {
    const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows.slice(0, 4)).toEqual(['At a glance', 'Traffic and errors', 'Latency', 'Saturation']);
  });

  test('shows every metric of this program', () => {
    const shown = dashboardQueries.map(([, expr]) => expr).join('\n');
    const names = [...counters, ...histograms, ...Object.values(gauges)].map(({ name }) => name);
    expect(names.filter((name) => !shown.includes(name))).toEqual([]);
  });
});

const titled = alerts.map((rule) => [[rule.alert, rule.long].filter(Boolean).join(' '), rule] as const);
const promtoolCases = ['alerts.test.yml', 'objectives.test.yml'].flatMap((name) => casesOf(read(name)));

/** Reads which alerts are expected at each time of promtool's tests: their severities and long windows. */
function casesOf(yaml: string) {
  const [, ...cases] = yaml.split(/^ {6}- eval_time: /m);
  return cases.map((text) => ({
    alert: /alertname: (\w+)/.exec(text)?.[1],
    isSilent: text.includes('exp_alerts: []'),
    fires: [...text.matchAll(/exp_labels:\n((?: {14}.*\n)+)/g)].map(([, labels = '']) =>
      ['severity', 'long'].map((name) => new RegExp(`\\b${name}: (.+)`).exec(labels)?.[1]).join(),
    ),
  }));
}

describe('the alerts', () => {
  test('are parsed, and told apart by their names and windows', () => {
    expect(alerts).toHaveLength(read('alerts.yml').match(/\balert:/g)?.length ?? 0);
    expect(new Set(alerts.map(({ alert, long }) => [alert, long].join())).size).toBe(alerts.length);
  });

  test.each(titled)('%s has a name, severity, duration, query and summary as required', (_title, rule) => {
    expect(rule.alert).toMatch(/^TicketBooking[A-Z]\w+$/);
    expect(rule.severity).toMatch(/^(critical|warning)$/);
    expect(rule.for).toMatch(/^\d+[sm]$/);
    expect(rule.expr).toMatch(/(?:==|>|<) *[\d.]+(?: \* [\d.]+)?$/);
    expect(rule.summary).toMatch(/\w{3}/);
  });

  test.each(titled)('%s fires in one of promtool’s tests, and is silent in another', (_title, rule) => {
    const own = promtoolCases.filter(({ alert }) => alert === rule.alert);
    expect(own.map(({ isSilent }) => isSilent)).toContain(true);
    expect(own.flatMap(({ fires }) => fires)).toContain([rule.severity, rule.long].join());
  });

  test('each link to a runbook section with the meaning, the signs and the remedy', () => {
    const sections = new Map(
      read('RUNBOOK.md')
        .split(/^## /m)
        .slice(1)
        .map((section) => [anchorOf(section.split('\n', 1)[0] as string), section]),
    );
    for (const { alert, runbook_url } of alerts) {
      const [address, anchor = ''] = runbook_url?.split('#') ?? [];
      // The one place where the address is set is Prometheus's own configuration.
      expect(address).toBe('{{ $externalLabels.ticket_booking_runbook }}');
      const section = sections.get(anchor) ?? '';
      expect(section.split('\n', 1)[0]).toBe(alert);
      for (const part of ['**Means**', '**See**', '**Do**'])
        if (alert !== 'TicketBookingNotReady') expect(section).toContain(part);
    }
    expect(read('RUNBOOK.md')).toMatch(/external_labels:\n +ticket_booking_runbook: https:/);
  });

  test('have a runbook that names only existing panels and links only to existing sections', () => {
    const text = read('RUNBOOK.md');
    const anchors = new Set([...text.matchAll(/^## (.+)$/gm)].map(([, title]) => anchorOf(title as string)));
    for (const [, anchor] of text.matchAll(/\]\(#([\w-]+)\)/g)) expect(anchors).toContain(anchor);
    const titles = dashboard.panels.map(({ title }) => title);
    const named = [...text.matchAll(/(?<!\*)\*([A-Z][^*\n]+)\*(?!\*)/g)].map(([, title]) => title);
    expect(named.length).toBeGreaterThan(20);
    for (const title of named) expect(titles).toContain(title);
  });
});

/** The anchor that GitHub and Grafana derive from a heading. */
function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}

test('the runbook lists every cause that /readyz can report', () => {
  const source = readFileSync(join(import.meta.dirname, '../../engine/readiness.ts'), 'utf8');
  const causes = [
    ...source.matchAll(/['`]((?:this instance|the store|the lease service|Redis) [\w ]+)/g),
  ].map(([, cause]) => cause as string);
  expect(causes.length).toBeGreaterThanOrEqual(5);
  const section = /^## TicketBookingNotReady\n(.*?)^## /ms.exec(read('RUNBOOK.md'))?.[1];
  for (const cause of causes) expect(section).toContain(`| \`${cause}\` |`);
});

test('the runbook quotes the exact log lines about a lost instance, and names the API call', () => {
  const section = /^## Lost instances\n(.*?)^## /ms.exec(read('RUNBOOK.md'))?.[1];
  for (const part of ['**See**', '**Do**', '/dismiss']) expect(section).toContain(part);
  const sources = ['admin/instance-register.ts', 'engine/actor/package-actor.ts']
    .map((name) => readFileSync(join(import.meta.dirname, '../..', name), 'utf8'))
    .join('');
  const lines = [...(section ?? '').matchAll(/`((?:an instance|a package|its owner) [^`]+)`/g)];
  expect(lines.length).toBe(4);
  for (const [, line] of lines) expect(sources).toContain(line);
});
