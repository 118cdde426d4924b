import { setTimeout as pause } from 'node:timers/promises';
import { defined } from '../../src/lib/defined.ts';
import { outcomesIn } from '../client/outcomes.ts';
import { startViewers, type Viewers, type Watch } from '../client/viewers.ts';
import type { CutReport } from '../client/viewers-protocol.ts';
import { monotonicMs } from '../client/viewers-protocol.ts';
import { type UnauditedRun, useOf } from '../runner/measure.ts';
import { choosePlacement } from '../runner/placement.ts';
import { inRounds } from '../runner/rounds.ts';
import type { Deployment, LoadResult, Scenario, Testbed } from '../testbed.ts';
import { entrants, plenty } from './contestants.ts';
import { buyAtPace } from './live-changes.ts';

/** The watched package, and one that only the load buys. */
const watched = 1;
const other = 2;
const changesPerSecond = 5;
/** For a single viewer: slow enough that changes never overlap. */
const idleChangesPerSecond = 10;
const loadPerSecond = 1_000;
/** Changes that take longer count as lost. */
const lastArrivalsMs = 3_000;
/** Viewers that take longer to recover count as lost. */
const recoveryMs = 20_000;
const lossBeginsMs = 1_000;
const roundsMax = 3;

interface Lengths {
  readonly sockets: number;
  readonly idleSeconds: number;
  /** How long a server must be idle before its memory is read. */
  readonly settleMs: number;
  readonly seconds: number;
}

const full: Lengths = { sockets: 10_000, idleSeconds: 15, settleMs: 3_000, seconds: 10 };
const quick: Lengths = { sockets: 2_000, idleSeconds: 1.5, settleMs: 800, seconds: 1.5 };

export const scenario: Scenario = {
  name: 'live',
  title: 'Live pages',
  what:
    'Sockets watch a package like the pages do, while it changes five times a second: the time from a purchase until each ' +
    'socket has the new state, alone and under purchase load, and the memory of an idle socket. Then connections are lost, ' +
    'one in a hundred each second, and all at once, and reconnect like the pages do: the time until all have the current ' +
    'state again.',
  async run(testbed) {
    const lengths = testbed.isQuick ? quick : full;
    const packages = [watched, other].map((id) => ({ id, quota: plenty }));
    const contestants = await inRounds(
      { ...testbed, rounds: Math.min(testbed.rounds, roundsMax) },
      entrants(['actor-sqlite'], packages),
      (deployment, _entrant, round) => watchInSteps({ testbed, deployment, round }, lengths),
    );
    const notes = [
      `The load is ${loadPerSecond} purchases per second of another package. Sockets watch one package, which it does not ` +
        'change; with “purchases of what they watch” they watch all, as the order page does, so that every change is theirs.',
      'A delay begins when the purchase is sent, so it includes the purchase.',
      'A lost connection is cut without a goodbye; its page tries again after 300 ms, and then waits twice as long each time. ' +
        'A viewer that missed changes counts as having seen them when it has the state after them.',
    ];
    return { contestants, notes };
  },
};

interface Turn {
  readonly testbed: Testbed;
  readonly deployment: Deployment;
  readonly round: number;
}

async function watchInSteps(
  turn: Turn,
  { sockets, idleSeconds, seconds, settleMs }: Lengths,
): Promise<UnauditedRun[]> {
  const { testbed, deployment } = turn;
  const [origin] = deployment.origins as [string];
  const { clientUnder } = await choosePlacement();
  const one: Watch = { topic: `package:${watched}`, packageId: watched };
  const all: Watch = { topic: 'packages', packageId: watched };
  const runs: UnauditedRun[] = [];
  {
    await using viewers = startViewers(clientUnder);
    await viewers.open(origin, one, 1);
    // The first purchases and frames of a fresh server are not measured.
    await buyAtPace(origin, watched, { perSecond: 50, seconds: 1 });
    const watching = { sockets: 1, load: 'none', seconds: idleSeconds, perSecond: idleChangesPerSecond };
    runs.push(await watch(turn, viewers, watching));
  }
  {
    await using viewers = startViewers(clientUnder);
    const rssPerSocketKB = await openIdle(turn, viewers, one, { sockets, settleMs });
    const watching = { sockets, load: 'none', seconds, perSecond: changesPerSecond };
    const alone = await watch(turn, viewers, watching);
    runs.push({ ...alone, figures: { ...alone.figures, rssPerSocketKB } });
    runs.push(await watch(turn, viewers, { ...watching, load: 'purchases' }));
    const some = { ...watching, load: 'one in a hundred lost each second' };
    runs.push(await watch(turn, viewers, { ...some, lose: () => loseSome(viewers, sockets / 100, seconds) }));
    const all = { ...watching, load: 'all lost at once' };
    runs.push(await watch(turn, viewers, { ...all, lose: () => loseAll(viewers, sockets) }));
  }
  if (!testbed.isQuick) {
    await using viewers = startViewers(clientUnder);
    await viewers.open(origin, all, sockets);
    runs.push(
      await watch(turn, viewers, {
        sockets,
        load: 'purchases of what they watch',
        seconds,
        perSecond: changesPerSecond,
      }),
    );
  }
  return runs;
}

/** @returns the server's resident memory per idle socket in KB (1,000 bytes). */
async function openIdle(
  { testbed, deployment }: Turn,
  viewers: Viewers,
  what: Watch,
  { sockets, settleMs }: Pick<Lengths, 'sockets' | 'settleMs'>,
): Promise<number> {
  const [origin] = deployment.origins as [string];
  const [pid] = deployment.pids as [number];
  await pause(settleMs);
  const before = await testbed.rss(pid);
  await viewers.open(origin, what, sockets);
  await pause(settleMs);
  return ((await testbed.rss(pid)) - before) / sockets / 1_000;
}

interface Watching {
  readonly sockets: number;
  readonly load: string;
  readonly seconds: number;
  readonly perSecond: number;
  /** Cuts connections during the changes. Returns the recovery from the cut. */
  readonly lose?: () => Promise<CutReport | undefined>;
}

async function loseSome(viewers: Viewers, count: number, seconds: number): Promise<undefined> {
  const until = monotonicMs() + seconds * 1000;
  for (let next = monotonicMs(); next < until; next += 1_000) {
    await pause(Math.max(0, next - monotonicMs()));
    await viewers.cut(count, recoveryMs);
  }
}

async function loseAll(viewers: Viewers, sockets: number): Promise<CutReport> {
  await pause(lossBeginsMs);
  return viewers.cut(sockets, recoveryMs);
}

async function watch(turn: Turn, viewers: Viewers, watching: Watching): Promise<UnauditedRun> {
  const { testbed, deployment, round } = turn;
  const { sockets, load, seconds, perSecond, lose } = watching;
  const [origin] = deployment.origins as [string];
  testbed.progress(`${sockets} sockets, load ${load}`);
  const buying = load.startsWith('purchases') ? startLoad(turn, seconds) : undefined;
  if (buying !== undefined) await pause(1_000);
  await viewers.record(await freeUnits(origin));
  const {
    result: [changes, cut],
    server,
    profile,
  } = await useOf(testbed, deployment, () =>
    Promise.all([buyAtPace(origin, watched, { perSecond, seconds }), lose?.()]),
  );
  const { delays, unseen, messages, gone, cpu } = await viewers.report(changes.madeAt, lastArrivalsMs);
  const purchases = await buying;
  return {
    round,
    parameters: { sockets, load },
    figures: {
      messagesPerSecond: messages / seconds,
      ...(purchases && { finished: outcomesIn(purchases.answers) / purchases.seconds }),
      // Without the viewers that were lost, the time would look too short.
      ...(cut?.lost === 0 && { recoveredMs: cut.recovery.max }),
    },
    latencies: {
      fanOut: delays,
      ...(purchases && { outcome: purchases.latencies.outcome }),
      ...(cut && { recovery: cut.recovery }),
    },
    answers: purchases?.answers ?? {},
    dropped: unseen + (purchases?.dropped ?? 0),
    errors: gone + (cut?.lost ?? 0) + changes.failed + (purchases?.errors ?? 0),
    cpu: { client: cpu + (purchases?.clientCpu ?? 0), server },
    ...defined({ profile }),
  };
}

function startLoad({ testbed, deployment }: Turn, seconds: number): Promise<LoadResult> {
  const { origins } = deployment;
  const request = { kind: 'buy', packages: [other] } as const;
  const load = { origins, request, rate: loadPerSecond, connectionsMax: 512, warmUpSeconds: 1, seconds };
  return testbed.openLoop(load);
}

async function freeUnits(origin: string): Promise<number> {
  const response = await fetch(`${origin}/api/packages/${watched}`);
  return ((await response.json()) as { remaining: number }).remaining;
}
