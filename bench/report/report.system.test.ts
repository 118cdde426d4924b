import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { launchChromium } from '../../test/support/servers/chromium.ts';
import type { BenchResults, ScenarioResult } from '../results.ts';
import { scenarios } from '../scenarios/index.ts';
import { hasLabel } from './figure-names.ts';
import { goals, latencyOf, resultsOf, runOf } from './fixture.ts';
import { goalsTable } from './goals.ts';
import { plotsForReadme } from './main-plots.ts';
import { readResults } from './read.ts';
import { renderReport, writeReport } from './report.ts';

const evil = `<img src="https://example.com/x.png" onerror="alert('1')">`;

/** The text as a browser shows it. */
function text(html: string): string {
  return html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}

function withScenario(scenario: Partial<ScenarioResult>): BenchResults {
  const whole = {
    name: 'hot-package',
    title: 'Hot',
    what: 'It is hot.',
    contestants: [],
    notes: [],
    ...scenario,
  };
  return resultsOf({ scenarios: [whole], goals: [] });
}

describe('report', () => {
  it('shows every scenario, contestant, note and goal, and the conditions of the run', async () => {
    const results = resultsOf();
    const shown = text(await renderReport(results));
    for (const { name, title, what, contestants, notes } of results.scenarios) {
      for (const part of [`id="${name}"`, title, what, ...contestants.map((each) => each.title), ...notes]) {
        expect(shown).toContain(part);
      }
    }
    for (const goal of goals) expect(shown).toContain(goal.title);
    for (const why of ['38 % of the profile', '✗</span> missed', '✓</span> met', '–</span> not measured']) {
      expect(shown).toContain(why);
    }
    const { cpu, os, servers } = results.machine;
    for (const part of [
      cpu,
      os,
      ...servers,
      'client: core 1',
      '10b5a1a4c2d9',
      'npm run bench',
      '2026-03-14 09:26',
    ]) {
      expect(shown).toContain(part);
    }
  });

  it('starts with plots; the explanation of each missed goal is collapsed', async () => {
    const html = await renderReport(resultsOf());
    const at = (text: string) => html.indexOf(text);
    expect(at('<figure>')).toBeGreaterThan(0);
    expect(at('<figure>')).toBeLessThan(at('id="goals"'));
    expect(at('id="goals"')).toBeLessThan(at('id="run"'));
    expect(html).toMatch(
      /<details class="why"><summary>against hello-world[^<]*<\/summary><p>[^<]*38 % of the profile/,
    );
    const smaller = { value: 1.2, at: 'with 2,000 buyers' };
    const small = { scenario: 'flash-sale', title: 'all answered', atMost: 2, unit: 's', smaller };
    const quick = await renderReport(resultsOf({ goals: [small] }));
    expect(quick).toContain('not measured at this size: 1.20 s with 2,000 buyers');
    expect(quick).toContain('0 of 1 goals met, 1 not measured');
    expect(goalsTable(resultsOf({ goals: [small] }))).toContain(
      'not measured at this size: 1.20 s with 2,000 buyers',
    );
  });

  it('begins with the headline for a deployment, shows its timeline, and has no goals', async () => {
    const second = { finished: 9, confirmed: 4, accepted: 0, errors: 1, dropped: 0, p50: 3, p99: 9, max: 10 };
    const timeline = [0, 1, 2, 3].map((at) => ({ ...second, second: at }));
    const runs = [runOf({ parameters: { offered: 10 }, figures: { finished: 9 }, timeline })];
    const contestants = [{ name: 'targets', title: 'there', isOurs: true, runs }];
    const results = { ...withScenario({ name: 'targets', contestants }), mode: 'targets' } as const;
    const html = await renderReport({ ...results, headline: '10/s offered, error rate 10 %.' });
    expect(html).toContain('<p class="lead">10/s offered, error rate 10 %.</p>');
    for (const title of ['Requests', 'Errors', 'Latency'])
      expect(html).toContain(`<h4>${title} over time</h4>`);
    expect(html).not.toContain('id="goals"');
  });

  it('has a label for every measure, and shows no JSON key', async () => {
    const published = await readResults(new URL('../published/latest.json', import.meta.url).pathname);
    const keys = { figure: new Set<string>(), latency: new Set<string>(), parameter: new Set<string>() };
    for (const { contestants } of published.scenarios) {
      for (const run of contestants.flatMap((contestant) => contestant.runs)) {
        for (const name of Object.keys(run.figures)) keys.figure.add(name);
        for (const name of Object.keys(run.latencies)) keys.latency.add(name);
        for (const name of Object.keys(run.parameters)) keys.parameter.add(name);
      }
    }
    expect(published.scenarios.map(({ name }) => name)).toEqual(scenarios.map(({ name }) => name));
    for (const kind of ['figure', 'latency', 'parameter'] as const) {
      expect([...keys[kind]].filter((name) => !hasLabel(kind, name))).toEqual([]);
    }
    // Notes are texts of that run and may mention keys.
    const withoutNotes = published.scenarios.map((scenario) => ({ ...scenario, notes: [] }));
    const html = await renderReport({ ...published, scenarios: withoutNotes });
    const shown = text(html.replaceAll(/<(style|svg)[\s\S]*?<\/\1>/g, ' ').replaceAll(/<[^>]+>/g, ' '));
    // A run of an older bench would be drawn with another label.
    expect(shown).toContain('purchases finished per second');
    const camel = [...keys.figure].filter((name) => /[A-Z]/.test(name));
    expect(camel.filter((name) => shown.includes(name))).toEqual([]);
    for (const file of await readdir(new URL('../scenarios/', import.meta.url))) {
      const code = await readFile(new URL(`../scenarios/${file}`, import.meta.url), 'utf8');
      const strings = code.match(/'[^'\n]{30,}'|`[^`\n]{30,}`/g) ?? [];
      expect(strings.filter((each) => camel.some((name) => each.includes(name)))).toEqual([]);
    }
  });

  it('draws every kind of plot', async () => {
    const shown = await renderReport(resultsOf());
    for (const plot of [
      'Speed-up of ticket-booking on MongoDB',
      'Latency to the outcome',
      'Latency from the change to the socket',
      'Goodput against offered load',
      'Time to the final outcome',
      'CPU of all processes per purchase over stored orders',
    ]) {
      expect(shown).toContain(`<h4>${plot}</h4>`);
    }
  });

  it('escapes text in the page and in plots', async () => {
    const contestant = (name: string, isOurs: boolean) => ({
      name,
      title: `${name} ${evil}`,
      isOurs,
      runs: [
        runOf({
          figures: { finished: isOurs ? 10 : 5 },
          latencies: { [evil]: latencyOf(3) },
          parameters: { load: evil },
        }),
      ],
    });
    const results = withScenario({
      title: evil,
      what: evil,
      notes: [evil],
      contestants: [contestant('a', true), contestant('b', false)],
    });
    const html = await renderReport({
      ...results,
      command: evil,
      goals: [{ scenario: evil, title: evil, unit: evil, why: evil, value: 1 }],
    });
    expect(html).not.toMatch(/<img/i);
    expect(html).toContain('&lt;img');
  });

  it('renders text between backticks as code', async () => {
    const shown = await renderReport(withScenario({ notes: ['`lost` counts <b>'] }));
    expect(shown).toContain('<li><code>lost</code> counts &lt;b&gt;</li>');
  });

  it('loads nothing and runs no script', async () => {
    const html = await renderReport(resultsOf());
    expect(html).not.toMatch(/<(script|link|img|image|iframe|object|embed|use)\b/i);
    expect(html).not.toMatch(/(?:src|href|xlink:href|action|data)="(?!#)/i);
    expect(html).not.toMatch(/@import|url\(/i);
    expect(html).not.toMatch(/https?:\/\//i);
  });

  it('shows a void run, but leaves it out of medians', async () => {
    const contestants = [
      {
        name: 'lock',
        title: 'a lock',
        isOurs: false,
        runs: [100, 102, 90_000].map((finished, index) =>
          runOf({
            round: index + 1,
            figures: { finished },
            ...(index === 2 ? { audit: { verdict: 'void', detail: 'Q3: one unit too many' } as const } : {}),
          }),
        ),
      },
    ];
    const shown = await renderReport(withScenario({ contestants }));
    expect(shown).toContain('>101<small>100–102</small>');
    expect(shown).not.toContain('90,000');
    expect(shown).toContain('2 clean, 1 void');
    expect(shown).toContain('round 3: Q3: one unit too many');
  });

  it('can be rendered without runs, or with void runs only', async () => {
    const audit = { verdict: 'void', detail: 'oversold' } as const;
    const contestants = [
      { name: 'a', title: 'nothing', isOurs: true, runs: [] },
      { name: 'b', title: 'all void', isOurs: false, runs: [runOf({ figures: { finished: 3 }, audit })] },
      {
        name: 'c',
        title: 'zero',
        isOurs: false,
        runs: [
          runOf({
            figures: { finished: 0 },
            latencies: { outcome: { ...latencyOf(0), count: 0, curve: [] } },
          }),
        ],
      },
    ];
    const shown = await renderReport(withScenario({ contestants }));
    expect(shown).toContain('1 void');
    expect(await renderReport(resultsOf({ scenarios: [], goals: [] }))).toContain(
      'There are no goals for the scenarios of this run.',
    );
  });

  it('fits a phone and a desktop in a real browser, under its own content security policy', async () => {
    const html = await renderReport(resultsOf());
    for (const width of [390, 1280]) {
      await using browser = await launchChromium({ viewport: { width, height: 900 } });
      const page = await browser.context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      await page.setContent(html);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      expect(await page.locator('figure svg[role=img]:visible').count()).toBe(
        await page.locator('figure').count(),
      );
      expect(complaints).toEqual([]);
    }
  });

  it('is written beside its results, which can be read back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bench-report-'));
    try {
      const results = resultsOf();
      const { json, report } = await writeReport(results, join(folder, 'new'));
      expect(await readResults(json)).toEqual(results);
      expect(await readFile(report, 'utf8')).toMatch(/^<!doctype html>/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('published run', () => {
  it('has plots on white, each an SVG file of its own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bench-plots-'));
    try {
      const names = await plotsForReadme(resultsOf(), folder);
      expect(names).toEqual(['speed-up.svg', 'latency.svg', 'fan-out.svg']);
      expect((await readdir(folder)).toSorted()).toEqual(names.toSorted());
      for (const name of names) {
        const svg = await readFile(join(folder, name), 'utf8');
        expect(svg).toMatch(
          /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"[^>]* role="img" aria-label="[^"]+">/,
        );
        expect(svg).toContain('fill="#ffffff"');
        expect(svg).not.toContain('var(--');
      }
      expect(await readFile(join(folder, 'speed-up.svg'), 'utf8')).toContain('a Restate virtual object');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('has a Markdown row for every goal, with the explanation of missed ones', () => {
    const table = goalsTable({
      ...resultsOf(),
      goals: [
        ...goals,
        { scenario: 'hot-package', title: 'a | b\nc', unit: 'ms', atMost: 1, value: 2, why: 'x|y' },
      ],
    });
    expect(table.trim().split('\n')).toHaveLength(2 + goals.length + 1);
    expect(table).toContain(
      '| hot-package | orders per second against the lock engine | ≥ 30× | 45.6× | met |',
    );
    expect(table).toContain('| hot-package | a \\| b c | ≤ 1 ms | 2 ms | missed: x\\|y |');
    expect(table).toContain('| – | not measured |');
  });

  it('lists only goals of the scenarios that ran, and names the others in one line', async () => {
    const goal = { title: 'cost', unit: 'ms', atMost: 1 };
    const results = withScenario({ name: 'start' });
    const given = [
      { ...goal, scenario: 'start', value: 1 },
      ...['growth', 'live', 'live'].map((scenario) => ({ ...goal, scenario })),
    ];
    const others = '3 goals of other scenarios were not measured: growth, live.';
    const table = goalsTable({ ...results, goals: given });
    expect(table.split('\n').slice(2)).toEqual(['| start | cost | ≤ 1 ms | 1 ms | met |', '', others, '']);
    const page = await renderReport({ ...results, goals: given });
    expect(page).toContain(`<p>${others}</p>`);
    expect(page).toContain('1 of 1 goals met.');
    expect(page).not.toContain('href="#growth"');
    expect(goalsTable({ ...results, goals: given.slice(1) })).toBe(`${others}\n`);
  });
});
