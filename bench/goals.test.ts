import { describe, expect, it } from 'vitest';
import { bottlenecks } from './bottlenecks.ts';
import { goalsOf } from './goals.ts';
import { goalState } from './report/index.ts';
import type { Run, ScenarioResult } from './results.ts';

type Part = Partial<Pick<Run, 'parameters' | 'figures' | 'latencies'>> & { readonly isVoid?: true };

function result(name: string, contestants: Readonly<Record<string, readonly Part[]>>): ScenarioResult {
  return {
    name,
    title: name,
    what: '',
    notes: [],
    contestants: Object.entries(contestants).map(([contestant, parts]) => ({
      name: contestant,
      title: contestant,
      isOurs: contestant.startsWith('actor'),
      runs: parts.map(({ isVoid, ...part }, index) => ({
        round: index + 1,
        parameters: {},
        figures: {},
        latencies: {},
        answers: {},
        dropped: 0,
        errors: 0,
        cpu: {},
        audit: { verdict: isVoid ? 'void' : 'clean', detail: '' },
        ...part,
      })),
    })),
  };
}

const finished = (value: number, parameters: Run['parameters'] = {}): Part => ({
  parameters,
  figures: { finished: value },
});
const cost = (costPerPurchaseUs: number, parameters: Run['parameters']) => ({
  parameters,
  figures: { costPerPurchaseUs },
});
const latency = (p99: number) => ({ count: 1, mean: 1, p50: 1, p90: 1, p99, p999: p99, max: p99, curve: [] });

const valueOfGoal = (scenarios: readonly ScenarioResult[], title: string) => {
  const goal = goalsOf(scenarios).find((each) => each.title.includes(title));
  if (!goal) throw new Error(`there is no goal ${title}`);
  return goal.value;
};

describe('goals', () => {
  it('lists every goal without a value when nothing was measured', () => {
    const goals = goalsOf([]);
    expect(goals.length).toBeGreaterThanOrEqual(20);
    expect(goals.filter((goal) => 'value' in goal)).toEqual([]);
    expect(new Set(goals.map(({ title }) => title)).size).toBe(goals.length);
  });

  it('compares both sides at their best number of callers', () => {
    const scenario = result('hot-package', {
      'actor-mongodb': [finished(3000, { callers: 64 }), finished(6000, { callers: 512 })],
      lock: [finished(200, { callers: 64 }), finished(100, { callers: 512 })],
    });
    expect(valueOfGoal([scenario], 'a Redlock')).toBe(30);
  });

  it('takes the median over rounds without void ones', () => {
    const scenario = result('hot-package', {
      'actor-mongodb': [60, 70, 100].map((value) => finished(value, { callers: 64 })),
      queue: [finished(10, { callers: 64 }), { ...finished(1000, { callers: 64 }), isVoid: true }],
    });
    expect(valueOfGoal([scenario], 'a queue')).toBe(7);
  });

  it('compares the cost of a purchase with the floor of its store, both where it is cheapest', () => {
    const scenario = result('hot-package', {
      'actor-sqlite': [cost(300, { callers: 64 }), cost(240, { callers: 512 }), cost(200, { offered: 9 })],
      'floor-sqlite': [cost(80, { callers: 64 }), cost(90, { callers: 512 })],
      'floor-mongodb': [cost(10, { callers: 64 })],
    });
    expect(valueOfGoal([scenario], 'SQLite: server CPU')).toBe(3);
    expect(valueOfGoal([scenario], 'MongoDB: server and mongod CPU')).toBeUndefined();
  });

  it('takes the latency from runs at half the ceiling only', () => {
    const at = (p99: number, parameters: Run['parameters']) => ({
      parameters,
      latencies: { outcome: latency(p99) },
    });
    const scenario = result('hot-package', {
      'actor-mongodb': [at(300, { callers: 512 }), at(20, { load: 'half the ceiling', offered: 700 })],
    });
    expect(valueOfGoal([scenario], 'half the ceiling, MongoDB')).toBe(20);
  });

  it('takes the worst of our contestants', () => {
    const scenario = result('flash-sale', {
      'actor-mongodb': [{ parameters: { buyers: 10_000 }, figures: { allAnsweredMs: 1800, lost: 0 } }],
      'actor-sqlite': [
        { parameters: { buyers: 10_000 }, figures: { allAnsweredMs: 900, lost: 1 } },
        { parameters: { buyers: 2_000 }, figures: { allAnsweredMs: 9_000, lost: 2 } },
      ],
    });
    expect(valueOfGoal([scenario], 'all answered')).toBeCloseTo(1.8);
    expect(valueOfGoal([scenario], 'lost')).toBe(1);
  });

  it('rates one viewer, 10,000 viewers, and 10,000 viewers under load separately', () => {
    const at = (sockets: number, load: string, p99: number) => ({
      parameters: { sockets, load },
      latencies: { fanOut: latency(p99) },
    });
    const scenario = result('live', {
      'actor-sqlite': [at(1, 'none', 30), at(10_000, 'none', 150), at(10_000, 'purchases', 350)],
    });
    expect(valueOfGoal([scenario], 'a viewer alone')).toBe(30);
    expect(valueOfGoal([scenario], 'p99, alone')).toBe(150);
    expect(valueOfGoal([scenario], 'under purchases of another')).toBe(350);
  });

  it('compares the highest cost of a range with the lowest before it', () => {
    const scenario = result('growth', {
      'actor-sqlite': [
        cost(250, { orders: 1_000_000 }),
        cost(200, { orders: 1000 }),
        cost(220, { orders: 10_000 }),
        cost(5, { packages: 1 }),
      ],
    });
    expect(valueOfGoal([scenario], 'stored orders')).toBeCloseTo(25);
    expect(valueOfGoal([scenario], '10,000 packages')).toBeUndefined();
  });

  it('compares the cost on three instances with that on one at as many callers each, for each way of spreading', () => {
    const runs = (costOf: (instances: number) => number) =>
      [1, 2, 3].flatMap((instances) => [
        cost(costOf(instances), { instances, callers: 256 * instances }),
        ...(instances === 1 ? [] : [cost(5_000, { instances, callers: 256 })]),
      ]);
    const scenario = result('cluster', {
      'actor-mongodb-many': runs((instances) => 400 * instances),
      'actor-mongodb-hashed': runs((instances) => 400 + 20 * instances),
    });
    expect(valueOfGoal([scenario], '100 packages, equal load')).toBe(3);
    expect(valueOfGoal([scenario], 'hashed by package')).toBeCloseTo(460 / 420);
  });

  it('compares a forwarded purchase with a local one', () => {
    const half = { parameters: { path: 'half forwarded' } };
    const scenario = result('forwarded', {
      'actor-mongodb': [
        cost(300, { path: 'local' }),
        { ...half, figures: { costPerPurchaseUs: 390, forwardedCostUs: 480 } },
      ],
    });
    expect(valueOfGoal([scenario], 'forwarded')).toBe(1.6);
  });

  it('takes refusals with limits on, and compares purchases with limits on and off', () => {
    const at = (figures: Run['figures']) => [{ parameters: { callers: 64, keys: 'with' }, figures }];
    const soldOut = result('sold-out', {
      'actor-sqlite': at({ refused: 90 }),
      'actor-sqlite-limited': at({ refused: 70 }),
      'actor-mongodb-limited': at({ refused: 60 }),
      hello: at({ answered: 100 }),
    });
    expect(valueOfGoal([soldOut], 'limits on, with keys')).toBe(0.6);
    expect(valueOfGoal([soldOut], 'limits on, without keys')).toBeUndefined();
    const hot = result('hot-package', {
      'actor-sqlite': [finished(200, { callers: 64 })],
      'actor-sqlite-limited': [finished(190, { callers: 64 }), finished(150, { callers: 512 })],
    });
    expect(valueOfGoal([hot], 'limits on against off')).toBe(0.95);
  });

  it('compares purchases with webhooks on and off, and takes the worse store', () => {
    const hot = result('hot-package', {
      'actor-sqlite': [finished(200, { callers: 64 })],
      'actor-sqlite-notices': [finished(150, { callers: 64 }), finished(180, { callers: 512 })],
      'actor-mongodb': [finished(100, { callers: 64 }), finished(400, { callers: 512 })],
      'actor-mongodb-notices': [finished(388, { callers: 512 })],
    });
    expect(valueOfGoal([hot], 'webhooks on against off')).toBe(0.9);
    expect(goalsOf([hot]).find(({ title }) => title === 'webhooks on against off')?.why).toMatch(/commit/);
  });

  it('takes the time until all viewers have recovered', () => {
    const at = (sockets: number, recoveredMs: number) => ({
      parameters: { sockets, load: 'all lost at once' },
      figures: { recoveredMs },
    });
    const scenario = result('live', { 'actor-sqlite': [at(10_000, 4_000), at(2_000, 9_000)] });
    expect(valueOfGoal([scenario], 'lost at once')).toBe(4);
  });

  it.each([
    [
      'all answered',
      'flash-sale',
      [{ parameters: { buyers: 2_000 }, figures: { allAnsweredMs: 900, lost: 0 } }],
      0.9,
      'with 2,000 buyers',
    ],
    [
      'quota 5: lost',
      'flash-sale',
      [{ parameters: { buyers: 2_000 }, figures: { allAnsweredMs: 900, lost: 0 } }],
      0,
      'with 2,000 buyers',
    ],
    ['out of turn', 'flash-sale', [{ parameters: { buyers: 2_000 } }], 0, 'with 2,000 buyers'],
    [
      'p99, alone',
      'live',
      [{ parameters: { sockets: 2_000, load: 'none' }, latencies: { fanOut: latency(7) } }],
      7,
      'with 2,000 sockets',
    ],
    [
      'memory per idle socket',
      'live',
      [{ parameters: { sockets: 2_000, load: 'none' }, figures: { rssPerSocketKB: 9 } }],
      9,
      'with 2,000 sockets',
    ],
    [
      'stored orders',
      'growth',
      [cost(100, { orders: 1_000 }), cost(110, { orders: 5_000 })],
      10,
      'up to 5,000 orders',
    ],
    [
      '10,000 packages',
      'growth',
      [cost(100, { packages: 1 }), cost(110, { packages: 1_000 })],
      10,
      'up to 1,000 packages',
    ],
    [
      'queue of up to',
      'growth',
      [cost(100, { waiting: 0 }), cost(110, { waiting: 3_000 })],
      10,
      'up to 3,000 in the queue',
    ],
    [
      'idle memory',
      'start',
      [{ parameters: { idleSeconds: 1 }, figures: { idleRssMB: 90 } }],
      90,
      'after 1 s',
    ],
  ] as const)(
    'leave %s unmeasured by a smaller run, and tell what it said',
    (title, scenario, runs, value, at) => {
      const goal = goalsOf([result(scenario, { 'actor-sqlite': runs })]).find((each) =>
        each.title.includes(title),
      );
      expect(goal).not.toHaveProperty('value');
      expect(goal).not.toHaveProperty('why');
      expect(goal && goalState(goal)).toBe('not measured');
      expect(goal?.smaller?.value).toBeCloseTo(value);
      expect(goal?.smaller?.at).toBe(at);
    },
  );

  it('takes idle memory after the usual wait, and separates one viewer from many', () => {
    const idle = result('start', { 'actor-sqlite': [{ figures: { idleRssMB: 90 } }] });
    expect(valueOfGoal([idle], 'idle memory')).toBe(90);
    const at = (sockets: number, p99: number) => ({
      parameters: { sockets, load: 'none' },
      latencies: { fanOut: latency(p99) },
    });
    const quick = result('live', { 'actor-sqlite': [at(1, 30), at(2_000, 900)] });
    expect(valueOfGoal([quick], 'a viewer alone')).toBe(30);
  });

  it('explanations of bottlenecks contain no numbers from a particular run', () => {
    for (const why of Object.values(bottlenecks)) expect(why).not.toMatch(/(?<!V)\d/);
  });
});
