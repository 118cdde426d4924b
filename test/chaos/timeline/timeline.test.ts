import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defined } from '../../../src/lib/defined.ts';
import type { Findings } from '../checker/index.ts';
import type { FaultEntry, HistoryEntry, PurchaseEntry } from '../history.ts';
import { damageOf, lanesOf, shortName } from './fault-lanes.ts';
import { writeTimeline } from './index.ts';
import { Seconds } from './seconds.ts';

const t0 = 1_800_000_000_000;

function purchase(at: number, tookMs: number, over: Partial<PurchaseEntry> = {}): PurchaseEntry {
  const [sentAt, endedAt] = [t0 + at - tookMs, t0 + at];
  return { kind: 'purchase', sentAt, endedAt, origin: 'x', packageId: 1, email: 'a@example.com', ...over };
}

function fault(kind: string, target: string, at = 0, until?: number): FaultEntry {
  return {
    kind: 'fault',
    at: t0 + at,
    fault: kind,
    target,
    ...defined({ until: until && t0 + until }),
  };
}

describe('Seconds', () => {
  it('counts each answer in the second in which it came, and averages over a bin', () => {
    const seconds = new Seconds();
    for (let each = 0; each < 30; each++) seconds.add(purchase(500 + each, 10, { status: 201 }));
    seconds.add(purchase(1_500, 10, { status: 409, code: 'sold_out' }));
    seconds.add(purchase(3_500, 10, { error: 'timeout' }));
    const [first, second] = seconds.bins(2);
    expect(seconds.bins(100)).toHaveLength(4);
    expect(first).toMatchObject({
      at: t0 + 1_000,
      perSecond: { confirmed: 15, 'sold-out': 0.5, unanswered: 0 },
    });
    expect(second).toMatchObject({ at: t0 + 3_000, perSecond: { confirmed: 0, unanswered: 0.5 } });
    expect([...seconds.answers]).toEqual([
      ['201', 30],
      ['409 sold_out', 1],
      ['no answer: timeout', 1],
    ]);
  });

  it('reports the latency of the answered requests, exact to 5 %', () => {
    const seconds = new Seconds();
    for (let each = 1; each <= 100; each++) seconds.add(purchase(500, each * 10, { status: 201 }));
    seconds.add(purchase(500, 60_000, { error: 'timeout' }));
    const [bin] = seconds.bins(10);
    expect(bin?.p50).toBeGreaterThan(475);
    expect(bin?.p50).toBeLessThan(525);
    expect(bin?.p99).toBeGreaterThan(945);
    expect(bin?.p99).toBeLessThan(1_045);
  });
});

describe('fault lanes', () => {
  it('have one lane for each kind of target and one row for each target', () => {
    const lanes = lanesOf([
      fault('kill', 'instance-2'),
      fault('redis wiped', 'redis'),
      fault('cut', 'instance-1 to redis'),
      fault('kill', 'instance-10'),
      fault('pause', 'instance-2'),
      fault('delay', 'clients to instance-1'),
    ]);
    const names = lanes.map(({ title, rows, count }) => [title, rows.map(([first]) => first?.target), count]);
    expect(names).toEqual([
      ['Instances', ['instance-2', 'instance-10'], 3],
      ['Clients’ network', ['clients to instance-1'], 1],
      ['Redis', ['instance-1 to redis', 'redis'], 2],
    ]);
    expect(['instance-2', 'redis', 'instance-1 to redis', 'clients to instance-3'].map(shortName)).toEqual([
      ...['2', '', 'from 1', 'to 3'],
    ]);
  });

  it('derive the kind of damage from the name of the fault', () => {
    const faults = [
      'kill primary',
      'redis paused',
      'freeze primary',
      'cut',
      'supplier cuts',
      'step-down',
      'redis wiped',
    ];
    expect(faults.map(damageOf)).toEqual([
      'killed',
      'frozen',
      'frozen',
      'network',
      'failing',
      'moved',
      'failing',
    ]);
  });
});

describe('timeline page', () => {
  const history: readonly HistoryEntry[] = [
    { kind: 'phase', at: t0, phase: 'load' },
    ...Array.from({ length: 50 }, (_, index) => purchase(index * 500, 20 + index, { status: 201 })),
    fault('kill', 'instance-1', 2_000, 5_000),
    fault('redis wiped', 'redis', 6_000),
    { kind: 'phase', at: t0 + 26_000, phase: 'drain' },
  ];

  async function write(entries: readonly HistoryEntry[], findings: Findings): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'chaos-timeline-'));
    try {
      const [historyFile, file] = [join(folder, 'history.jsonl'), join(folder, 'timeline.html')];
      await writeFile(historyFile, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
      await writeTimeline({ historyFile, file, title: 'A <run>', findings });
      return await readFile(file, 'utf8');
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it('shows a run and loads no other files', async () => {
    const page = await write(history, { violations: [], figures: { orders: 1234 } });
    expect(page).toContain('0 violations');
    expect(page).toContain('<title>A &lt;run&gt;</title>');
    expect(page).toContain('1,234');
    expect(page).toContain('Instances: 1');
    expect(page).toContain('>drain</text>');
    expect(page.match(/<svg [^>]*role="img"/g)).toHaveLength(2);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/https?:|url\((?!#)|<script|<link|src=|@import/);
  });

  it('draws only in colours that follow light and dark mode', async () => {
    const [, figure = ''] =
      /<figure>([\s\S]*)<\/figure>/.exec(await write(history, { violations: [], figures: {} })) ?? [];
    expect(figure.match(/(?:fill|stroke)="(?!var\(|none|transparent)[^"]*"/g) ?? []).toEqual([]);
  });

  it('lists violations, and also counts violations that the findings do not list', async () => {
    const violations = [{ rule: 'Q4', words: 'sold out at <once>' }];
    const page = await write(history, { violations, figures: { 'violations Q4': 31 } });
    expect(page).toContain('31 violations');
    expect(page).toContain('sold out at &lt;once&gt;');
    expect(await write(history, { violations, figures: {} })).toContain('>1 violation<');
  });

  it('can be written for a run without entries', async () => {
    expect(await write([], { violations: [], figures: {} })).toContain('0 violations');
  });
});
