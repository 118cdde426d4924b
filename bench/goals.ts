/**
 * The goals, computed from the runs of these scenarios:
 *
 * | scenario | contestants | runs |
 * | --- | --- | --- |
 * | hot-package | actor-mongodb, actor-sqlite, floor-mongodb, floor-sqlite, lock, queue, atomic | `{callers}`: figures
 * `finished`, `costPerPurchaseUs`; `{load: 'half the ceiling', offered}`: latency `outcome` |
 * | restate | actor-mongodb, restate | `{callers}`: figure `finished` |
 * | hot-package | actor-mongodb, actor-sqlite, the same with `-limited` and `-notices` | `{callers}`: figure `finished` |
 * | sold-out | actor-mongodb-limited, actor-sqlite-limited, hello | `{callers, keys: 'with' or 'without'}`: figures
 * `refused`, and `answered` of hello |
 * | cluster | actor-mongodb-many, actor-mongodb-hashed | `{instances, callers}`: figure `costPerPurchaseUs` |
 * | forwarded | actor-mongodb | `{path: 'local'}`: figure `costPerPurchaseUs`; `{path: 'half forwarded'}`: figure
 * `forwardedCostUs` |
 * | flash-sale | any of ours | `{buyers}` from 10,000 on: figures `allAnsweredMs`, `refusalsUnder100msShare` (0 to 1),
 * `lost`; the audit's finding Q5 if an order was served out of turn |
 * | live | any of ours | `{sockets, load: 'none' or 'purchases'}`: latency `fanOut`, figure `rssPerSocketKB`; one
 * socket is the single viewer; `{sockets, load: 'all lost at once'}`: figure `recoveredMs` |
 * | overload | any of ours | figures `goodput`, `ceiling` (per second), `rssGrowth` (bytes) |
 * | growth | any of ours | `{orders}`, `{packages}` or `{waiting}`: figure `costPerPurchaseUs` |
 * | start | actor-sqlite | figures `readyMs`, `idleRssMB` |
 *
 * A value is the median over the rounds that passed their audit. A contestant that ran with several parameters counts
 * with its best ones; of several contestants of ours the worst counts. A goal for a certain size (10,000 buyers) is not
 * measured by a smaller run, whose value is reported beside it.
 */
import { defined } from '../src/lib/defined.ts';
import { bottlenecks } from './bottlenecks.ts';
import { greatest, least, MeasuredRuns, type RunSize, ratio } from './measured-runs.ts';
import { formatNumber } from './report/numbers.ts';
import type { GoalResult, Run, ScenarioResult } from './results.ts';
import { callersPerInstance } from './scenarios/cluster.ts';

/** One row of the table. `value` returns undefined when the runs do not measure it. */
interface Goal extends Omit<GoalResult, 'value' | 'smaller'> {
  /** The size that a run must have; without it, any run measures the goal. */
  readonly size?: Size;
  readonly value: (measured: MeasuredRuns) => number | undefined;
}

interface Size extends RunSize {
  readonly words: string;
}

/** Evaluates all goals, including those that were not measured. */
export function goalsOf(results: readonly ScenarioResult[]): GoalResult[] {
  const measured = new MeasuredRuns(results);
  return goals.map(({ value: read, why, size, ...goal }) => {
    const value = read(size === undefined ? measured : measured.atSize(goal.scenario, size));
    if (value === undefined || !Number.isFinite(value))
      return { ...goal, ...smaller(measured, read, goal, size) };
    const isMissed = value < (goal.atLeast ?? value) || value > (goal.atMost ?? value);
    return { ...goal, value, ...(isMissed && why !== undefined ? { why } : {}) };
  });
}

/** The value of runs that are too small for the goal. */
function smaller(
  measured: MeasuredRuns,
  read: Goal['value'],
  { scenario }: Pick<Goal, 'scenario'>,
  size: Size | undefined,
): Pick<GoalResult, 'smaller'> {
  const value = read(measured);
  const reached = size === undefined ? undefined : measured.largest(scenario, size.parameter);
  if (size === undefined || reached === undefined || value === undefined || !Number.isFinite(value))
    return {};
  return { smaller: { value, at: size.words.replace('#', formatNumber(reached)) } };
}

const ours = ['actor-mongodb', 'actor-sqlite'];
const wholeCrowd: Size = { parameter: 'buyers', atLeast: 10_000, words: 'with # buyers' };
const manySockets: Size = { parameter: 'sockets', atLeast: 10_000, words: 'with # sockets' };
const longIdle: Size = { parameter: 'idleSeconds', atLeast: 5, isUsual: true, words: 'after # s' };

const goals: readonly Goal[] = [
  floor('sqlite', 'server CPU', bottlenecks.sqlite),
  floor('mongodb', 'server and mongod CPU', bottlenecks.mongodb),
  against('lock', 'a Redlock around each purchase', 80),
  against('queue', 'a queue with one consumer', 80),
  against('atomic', 'an atomic update per request', 5),
  {
    scenario: 'restate',
    title: 'MongoDB against Restate, a virtual object per package',
    atLeast: 30,
    unit: '×',
    value: (measured) =>
      ratio(measured.best('restate', 'actor-mongodb'), measured.best('restate', 'restate')),
    why: bottlenecks.mongodb,
  },
  soldOut('without', 0.75),
  soldOut('with', 0.65),
  onAgainstOff('rate limits', limited, 0.97, bottlenecks.limits),
  onAgainstOff('webhooks', withWebhooks, 0.95, bottlenecks.webhooks),
  ...ours.map((name) => ({
    scenario: 'hot-package',
    title: `p99 from intended send to outcome at half the ceiling, ${storeOf(name)}`,
    atMost: name === 'actor-sqlite' ? 25 : 40,
    unit: 'ms',
    why: name === 'actor-sqlite' ? bottlenecks.latencySqlite : bottlenecks.latencyMongodb,
    value: (measured: MeasuredRuns) =>
      measured.median('hot-package', name, (run) => run.latencies.outcome?.p99, isHalfTheCeiling),
  })),
  cluster(
    'many',
    '100 packages, equal load on each instance: CPU per purchase on 3 instances against 1',
    1.4,
  ),
  cluster(
    'hashed',
    '100 packages, hashed by package, equal load on each instance: CPU per purchase on 3 instances against 1',
    1.1,
  ),
  {
    scenario: 'forwarded',
    title: 'CPU of a forwarded purchase against a local one',
    atMost: 1.25,
    unit: '×',
    why: bottlenecks.cluster,
    value: (measured) => {
      const of = (figure: string) =>
        measured.median(
          'forwarded',
          'actor-mongodb',
          (run) => run.figures[figure],
          ({ parameters }) => (parameters.path === 'local') === (figure === 'costPerPurchaseUs'),
        );
      return ratio(of('forwardedCostUs'), of('costPerPurchaseUs'));
    },
  },
  flashSale('all answered', { atMost: 0.8, unit: 's' }, 'allAnsweredMs', 0.001),
  flashSale('lost', { atMost: 0, unit: '' }, 'lost'),
  {
    scenario: 'flash-sale',
    title: '10,000 buyers, quota 5: sales with somebody served out of turn',
    size: wholeCrowd,
    atMost: 0,
    unit: '',
    value: (measured) => measured.foundIn('flash-sale', 'Q5'),
  },
  {
    scenario: 'live',
    title: 'change of quota to a viewer alone, p99',
    atMost: 100,
    unit: 'ms',
    value: (measured) => fanOut(measured, 'none', (sockets) => sockets === 1),
  },
  {
    scenario: 'live',
    title: '10,000 sockets, 5 updates/s, p99, alone',
    atMost: 80,
    unit: 'ms',
    why: bottlenecks.live,
    size: manySockets,
    value: (measured) => fanOut(measured, 'none', (sockets) => sockets > 1),
  },
  {
    scenario: 'live',
    title: '10,000 sockets, 5 updates/s, p99, under purchases of another package',
    atMost: 200,
    unit: 'ms',
    why: bottlenecks.live,
    size: manySockets,
    value: (measured) => fanOut(measured, 'purchases', (sockets) => sockets > 1),
  },
  {
    scenario: 'live',
    title: '10,000 sockets lost at once: until all have the current state again',
    atMost: 5,
    unit: 's',
    why: bottlenecks.live,
    size: manySockets,
    value: (measured) => {
      const found = measured.worst('live', (run) => run.figures.recoveredMs, 'highest');
      return found === undefined ? undefined : found / 1000;
    },
  },
  {
    scenario: 'live',
    title: 'memory per idle socket',
    atMost: 15,
    unit: 'KB',
    size: manySockets,
    value: (measured) => measured.worst('live', (run) => run.figures.rssPerSocketKB, 'highest'),
  },
  {
    scenario: 'overload',
    title: 'goodput at ten times the ceiling, against the ceiling',
    atLeast: 0.95,
    unit: '×',
    why: bottlenecks.goodput,
    value: (measured) =>
      measured.worst('overload', ({ figures }) => ratio(figures.goodput, figures.ceiling), 'lowest'),
  },
  {
    scenario: 'overload',
    title: 'growth of memory under it',
    atMost: 64,
    unit: 'MB',
    why: bottlenecks.memory,
    value: (measured) => {
      const bytes = measured.worst('overload', (run) => run.figures.rssGrowth, 'highest');
      return bytes === undefined ? undefined : bytes / 1e6;
    },
  },
  growth('orders', 10, { range: '10³ to 10⁶ stored orders', atLeast: 1_000_000, words: 'up to # orders' }),
  growth('packages', 40, { range: '1 to 10,000 packages', atLeast: 10_000, words: 'up to # packages' }),
  growth('waiting', 20, {
    range: 'a queue of up to 100,000',
    atLeast: 100_000,
    words: 'up to # in the queue',
  }),
  start('start to ready', { atMost: 1, unit: 's' }, 'readyMs', 0.001),
  { ...start('idle memory', { atMost: 120, unit: 'MB' }, 'idleRssMB'), size: longIdle },
];

/**
 * The distance to the least that a purchase costs, each at the number of callers at which it is cheapest. A bound
 * against hello world, or against a script that stores nothing, would ask for less than that.
 */
function floor(store: 'sqlite' | 'mongodb', cpu: string, why: string): Goal {
  return {
    scenario: 'hot-package',
    title: `${storeOf(`actor-${store}`)}: ${cpu} per purchase against the floor`,
    atMost: 2.5,
    unit: '×',
    why,
    value: (measured) =>
      ratio(
        measured.cheapest('hot-package', `actor-${store}`),
        measured.cheapest('hot-package', `floor-${store}`),
      ),
  };
}

function against(other: string, words: string, atLeast: number): Goal {
  return {
    scenario: 'hot-package',
    title: `MongoDB against ${words}`,
    atLeast,
    unit: '×',
    why: bottlenecks.mongodb,
    value: (measured) =>
      ratio(measured.best('hot-package', 'actor-mongodb'), measured.best('hot-package', other)),
  };
}

function soldOut(keys: 'with' | 'without', atLeast: number): Goal {
  const withKeys = (run: Run) => run.parameters.keys === keys;
  return {
    scenario: 'sold-out',
    title: `refusals against hello world, limits on, ${keys} keys`,
    atLeast,
    unit: '×',
    why: bottlenecks.refusal,
    value: (measured) => {
      const of = (name: string, figure: string) =>
        measured.median('sold-out', name, (run) => run.figures[figure], withKeys);
      return least(ours.map((name) => ratio(of(limited(name), 'refused'), of('hello', 'answered'))));
    },
  };
}

/** What it costs our servers to have something on. */
function onAgainstOff(what: string, variantOf: (name: string) => string, atLeast: number, why: string): Goal {
  return {
    scenario: 'hot-package',
    title: `${what} on against off`,
    atLeast,
    unit: '×',
    why,
    value: (measured) =>
      least(
        ours.map((name) =>
          ratio(measured.best('hot-package', variantOf(name)), measured.best('hot-package', name)),
        ),
      ),
  };
}

function flashSale(title: string, bound: Pick<Goal, 'atMost' | 'unit'>, figure: string, factor = 1): Goal {
  const value = (measured: MeasuredRuns) => {
    const found = measured.worst('flash-sale', (run) => run.figures[figure], 'highest');
    return found === undefined ? undefined : found * factor;
  };
  return {
    scenario: 'flash-sale',
    title: `10,000 buyers, quota 5: ${title}`,
    ...bound,
    size: wholeCrowd,
    value,
    why: bottlenecks.flashSale,
  };
}

function start(title: string, bound: Pick<Goal, 'atMost' | 'unit'>, figure: string, factor = 1): Goal {
  const value = (measured: MeasuredRuns) => {
    const found = measured.median('start', 'actor-sqlite', (run) => run.figures[figure]);
    return found === undefined ? undefined : found * factor;
  };
  return { scenario: 'start', title: `${title}, SQLite`, ...bound, value };
}

/** The cost of a purchase, as growth in % over the cheapest step before. */
function growth(
  parameter: 'orders' | 'packages' | 'waiting',
  atMost: number,
  { range, atLeast, words }: { readonly range: string; readonly atLeast: number; readonly words: string },
): Goal {
  const why = {
    orders: bottlenecks.growthOfOrders,
    packages: bottlenecks.growthOfPackages,
    waiting: undefined,
  };
  return {
    scenario: 'growth',
    title: `cost per purchase over ${range}`,
    atMost,
    unit: '%',
    size: { parameter, atLeast, isRange: true, words },
    ...defined({ why: why[parameter] }),
    value: (measured) =>
      greatest(
        ours.map((name) => {
          const costs = measured.byParameter(
            'growth',
            name,
            parameter,
            (run) => run.figures.costPerPurchaseUs,
          );
          // Comparing with the cheapest earlier step also works when the first step is expensive.
          const shares = costs.map((cost, at) => ratio(cost, least(costs.slice(0, at))));
          const share = greatest(shares);
          return share === undefined ? undefined : (share - 1) * 100;
        }),
      ),
  };
}

/**
 * Judged by CPU, because the instances share one machine: their purchases per second would show its limit, which one
 * instance reaches too. Each instance has the same load as the single one. With the callers of one, several would be
 * compared at a fraction of its load, where fewer purchases share each commit.
 */
function cluster(load: 'many' | 'hashed', title: string, atMost: number): Goal {
  return {
    scenario: 'cluster',
    title,
    atMost,
    unit: '×',
    why: bottlenecks.cluster,
    value: (measured) => {
      const on = (count: number) =>
        measured.median(
          'cluster',
          `actor-mongodb-${load}`,
          (run) => run.figures.costPerPurchaseUs,
          ({ parameters: { instances, callers } }) =>
            instances === count && callers === count * callersPerInstance,
        );
      return ratio(on(3), on(1));
    },
  };
}

function fanOut(
  measured: MeasuredRuns,
  load: string,
  holds: (sockets: number) => boolean,
): number | undefined {
  const isMeant = ({ parameters }: Run) => parameters.load === load && holds(Number(parameters.sockets));
  return measured.worst('live', (run) => run.latencies.fanOut?.p99, 'highest', isMeant);
}

function isHalfTheCeiling({ parameters }: Run): boolean {
  return parameters.load === 'half the ceiling';
}

function storeOf(name: string): string {
  return name === 'actor-sqlite' ? 'SQLite' : 'MongoDB';
}

/** The same server with its rate limits. */
function limited(name: string): string {
  return `${name}-limited`;
}

/** The same server with webhooks. */
function withWebhooks(name: string): string {
  return `${name}-notices`;
}
