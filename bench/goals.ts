/**
 * The goals, computed from the runs of these scenarios:
 *
 * | scenario | contestants | runs |
 * | --- | --- | --- |
 * | hot-package | actor-mongodb, actor-sqlite, floor-mongodb, floor-sqlite, lock, queue, atomic | `{callers}`: figures
 * `finished`, `costPerPurchaseUs`; `{load: 'half the ceiling', offered}`: latency `outcome` |
 * | restate | actor-mongodb, restate | `{callers}`: figure `finished` |
 * | sold-out | actor-mongodb, actor-sqlite, hello | `{callers, keys: 'with' or 'without'}`: figures `refused`, and
 * `answered` of hello |
 * | cluster | actor-mongodb | `{instances}`: figure `finished` |
 * | flash-sale | any of ours | `{buyers}` from 10,000 on: figures `allAnsweredMs`, `refusalsUnder100msShare` (0 to 1),
 * `lost`; the audit's finding Q5 if an order was served out of turn |
 * | live | any of ours | `{sockets, load: 'none' or 'purchases'}`: latency `fanOut`, figure `rssPerSocketKB`; one
 * socket is the single viewer |
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
  against('lock', 'a Redlock around each purchase', 30),
  against('queue', 'a queue with one consumer', 25),
  against('atomic', 'an atomic update per request', 8),
  {
    scenario: 'restate',
    title: 'MongoDB against Restate, a virtual object per package',
    atLeast: 30,
    unit: '×',
    value: (measured) =>
      ratio(measured.best('restate', 'actor-mongodb'), measured.best('restate', 'restate')),
    why: bottlenecks.mongodb,
  },
  floor('sqlite', 'server CPU', bottlenecks.sqlite),
  floor('mongodb', 'server and mongod CPU', bottlenecks.mongodb),
  soldOut('without'),
  soldOut('with'),
  ...ours.map((name) => ({
    scenario: 'hot-package',
    title: `p99 from intended send to outcome at half the ceiling, ${storeOf(name)}`,
    atMost: 25,
    unit: 'ms',
    why: name === 'actor-sqlite' ? bottlenecks.latencySqlite : bottlenecks.latencyMongodb,
    value: (measured: MeasuredRuns) =>
      measured.median('hot-package', name, (run) => run.latencies.outcome?.p99, isHalfTheCeiling),
  })),
  {
    scenario: 'cluster',
    title: 'two instances against one, one hot package, purchases to any',
    atLeast: 0.9,
    unit: '×',
    why: bottlenecks.cluster,
    value: (measured) => ratio(instances(measured, 2), instances(measured, 1)),
  },
  flashSale('all answered', { atMost: 2, unit: 's' }, 'allAnsweredMs', 0.001),
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
    atMost: 200,
    unit: 'ms',
    why: bottlenecks.live,
    size: manySockets,
    value: (measured) => fanOut(measured, 'none', (sockets) => sockets > 1),
  },
  {
    scenario: 'live',
    title: '10,000 sockets, 5 updates/s, p99, under purchases of another package',
    atMost: 400,
    unit: 'ms',
    why: bottlenecks.live,
    size: manySockets,
    value: (measured) => fanOut(measured, 'purchases', (sockets) => sockets > 1),
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
    atLeast: 0.85,
    unit: '×',
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
  growth('orders', '10³ to 10⁵ stored orders', 100_000, 'up to # orders', bottlenecks.growthOfOrders),
  growth('packages', '1 to 10,000 packages', 10_000, 'up to # packages', bottlenecks.growthOfPackages),
  growth('waiting', 'a queue of up to 100,000', 100_000, 'up to # in the queue'),
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

function soldOut(keys: 'with' | 'without'): Goal {
  const withKeys = (run: Run) => run.parameters.keys === keys;
  return {
    scenario: 'sold-out',
    title: `refusals against hello world, ${keys} keys`,
    atLeast: 0.9,
    unit: '×',
    why: bottlenecks.refusal,
    value: (measured) => {
      const of = (name: string, figure: string) =>
        measured.median('sold-out', name, (run) => run.figures[figure], withKeys);
      return least(ours.map((name) => ratio(of(name, 'refused'), of('hello', 'answered'))));
    },
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
function growth(parameter: string, range: string, atLeast: number, words: string, why?: string): Goal {
  return {
    scenario: 'growth',
    title: `cost per purchase over ${range}`,
    atMost: 20,
    unit: '%',
    size: { parameter, atLeast, isRange: true, words },
    ...defined({ why }),
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

function instances(measured: MeasuredRuns, count: number): number | undefined {
  return measured.median(
    'cluster',
    'actor-mongodb',
    (run) => run.figures.finished,
    (run) => run.parameters.instances === count,
  );
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
