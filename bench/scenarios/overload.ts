import type { UnauditedRun } from '../runner/measure.ts';
import { measure, ratesOf } from '../runner/measure.ts';
import { inRounds } from '../runner/rounds.ts';
import type { Deployment, LoadResult, Scenario, Testbed } from '../testbed.ts';
import { entrants, plenty } from './contestants.ts';

const request = { kind: 'buy', packages: [1] } as const;
/** Enough callers to find the ceiling. */
const callers = 256;
const offeredTimes = 10;
const connectionsMax = { full: 8_000, quick: 2_000 };
const roundsMax = 3;
/** Offered rates as shares of the ceiling. */
const shares = [0.25, 0.5, 0.75, 1, 1.5, 2];

export const scenario: Scenario = {
  name: 'overload',
  title: 'Overload',
  what:
    'From a quarter of the ceiling, which a closed loop found just before, to ten times of it is offered, over ' +
    'thousands of connections in the end: purchases finished per second against the ceiling, and by how much the ' +
    'resident memory of the server has grown.',
  async run(testbed) {
    const kinds = testbed.isQuick ? ['actor-sqlite'] : ['actor-sqlite', 'actor-mongodb'];
    const contestants = await inRounds(
      { ...testbed, rounds: Math.min(testbed.rounds, roundsMax) },
      entrants(kinds, [{ id: 1, quota: plenty }]),
      (deployment, _entrant, round) => overloaded(testbed, deployment, round),
    );
    const notes = [
      'A request without a free connection within a second is dropped. Goodput counts purchases at the time when they finish.',
      'The first overload opens all connections, whose memory does not count; the growth is the peak of a second overload with as many connections.',
    ];
    return { contestants, notes };
  },
};

async function overloaded(testbed: Testbed, deployment: Deployment, round: number): Promise<UnauditedRun[]> {
  const { origins, pids } = deployment;
  const [pid] = pids as [number];
  const { seconds, warmUpSeconds } = testbed;
  const rssStartBytes = await testbed.rss(pid);
  const found = await testbed.closedLoop({ origins, request, callers, seconds, warmUpSeconds });
  const ceiling = ratesOf(found).finished ?? 0;
  const onTheWay = testbed.isQuick ? [] : await sweep(testbed, deployment, round, ceiling);
  const offered = Math.round(ceiling * offeredTimes);
  const connections = connectionsMax[testbed.isQuick ? 'quick' : 'full'];
  testbed.progress(`offering ${offered} per second, ${offeredTimes} times the ceiling`);
  const offer = () =>
    // Long enough to show what accumulates.
    testbed.openLoop({
      origins,
      request,
      rate: offered,
      connectionsMax: connections,
      seconds: 2 * seconds,
      warmUpSeconds,
    });
  // The first overload opens all connections: their memory is not growth caused by an overload.
  if (!testbed.isQuick) await offer();
  const before = await testbed.rss(pid);
  let rssPeakBytes = before;
  let goodput = 0;
  const run = await measure(
    testbed,
    deployment,
    { round, parameters: { load: `${offeredTimes}× the ceiling`, offered } },
    () =>
      peakOf(
        testbed,
        pid,
        async () => {
          const result = await offer();
          goodput = goodputOf(result);
          return result;
        },
        (peak) => {
          rssPeakBytes = peak;
        },
      ),
  );
  const { finished: _finished, ...rest } = run.figures;
  const rssAfterBytes = await testbed.rss(pid);
  // A quick bench would measure the memory of the new connections.
  const growth = testbed.isQuick ? {} : { rssGrowth: rssPeakBytes - before };
  return [
    ...onTheWay,
    {
      ...run,
      figures: {
        ...rest,
        goodput,
        ceiling,
        goodputRatio: goodput / ceiling,
        ...growth,
        rssStartBytes,
        rssPeakBytes,
        rssAfterBytes,
      },
    },
  ];
}

/** Measures goodput and latency at increasing offered rates. */
async function sweep(
  testbed: Testbed,
  deployment: Deployment,
  round: number,
  ceiling: number,
): Promise<UnauditedRun[]> {
  const { origins } = deployment;
  const warmUpSeconds = testbed.warmUpSeconds / 2;
  const runs: UnauditedRun[] = [];
  for (const share of shares) {
    const rate = Math.max(1, Math.round(ceiling * share));
    const load = { origins, request, rate, connectionsMax: 2_000, seconds: testbed.seconds, warmUpSeconds };
    const parameters = { load: `${share}× the ceiling`, offered: rate };
    let goodput = 0;
    const run = await measure(testbed, deployment, { round, parameters }, async () => {
      const result = await testbed.openLoop(load);
      goodput = goodputOf(result);
      return result;
    });
    const { finished: _finished, ...rest } = run.figures;
    runs.push({ ...run, figures: { ...rest, goodput } });
  }
  return runs;
}

/** Counts what finished within the window, because the backlog after it is not part of the server's rate. */
function goodputOf({ finishedInWindow = 0, seconds }: LoadResult): number {
  return finishedInWindow / seconds;
}

const sampleMs = 250;

/** The highest resident memory of a process while the work runs. */
async function peakOf<T>(
  testbed: Testbed,
  pid: number,
  work: () => Promise<T>,
  tell: (bytes: number) => void,
): Promise<T> {
  let peak = 0;
  const sample = async () => {
    peak = Math.max(peak, await testbed.rss(pid).catch(() => 0));
    tell(peak);
  };
  const timer = setInterval(() => void sample(), sampleMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await sample();
  }
}
