import { setTimeout as pause } from 'node:timers/promises';
import type { UnauditedRun } from '../runner/measure.ts';
import { costOf, measure, perSecond } from '../runner/measure.ts';
import type { Deployment, RequestTemplate, Testbed } from '../testbed.ts';

/** Each range is in ascending order. */
export interface Ranges {
  readonly orders: readonly number[];
  readonly packages: readonly number[];
  readonly waiting: readonly number[];
}

export interface Turn {
  readonly testbed: Testbed;
  readonly deployment: Deployment;
  readonly round: number;
}

/** Enough to keep the server busy while it waits for the disk. */
const callers = 256;
/** Purchases of the measurement are stored too: it must be short to add far less than the next step. */
const secondsMax = 1;
/** Until all callers have a request under way, so that the rates of sending and answering are equal. */
const warmUpSeconds = 0.2;
/** Purchases after which the server has reached its full speed. */
const warmPurchases = 5_000;
const drainMsMax = 60_000;
/** A limit for all waits; longer means a defect. Filling a store with a million orders takes some minutes. */
const timeoutMs = 900_000;

/** Fills the store by purchases, and measures the cost at each step. */
export async function growOrders(turn: Turn, steps: readonly number[]): Promise<UnauditedRun[]> {
  const request = { kind: 'buy', packages: [1] } as const;
  const runs: UnauditedRun[] = [];
  // A cold server is expensive, and would make later steps look cheap.
  await warmUp(turn, { ...request, packages: [warmPackage] }, warmPurchases);
  for (const orders of steps) {
    await fill(turn, request, orders, 'confirmed');
    runs.push(await cost(turn, request, { orders }, '201'));
  }
  return runs;
}

/** Buys all packages at the same rate, so that each one has an active actor. */
export async function growPackages(turn: Turn, packages: readonly number[]): Promise<UnauditedRun[]> {
  const request = { kind: 'buy', packages } as const;
  // By then most packages have been bought once: the first purchase activates the actor.
  await warmUp(turn, request, Math.max(warmPurchases, 2 * packages.length));
  return [await cost(turn, request, { packages: packages.length }, '201')];
}

/** Bought during the warm-up, so that the measured package stays unchanged. */
export const warmPackage = 2;

/**
 * Two units each allow twice `WAITERS_PER_UNIT` to wait, so the queue can grow beyond its step while it is measured.
 */
export const waitingPackages = [1, 2].map((id) => ({ id, quota: 2 }));

/** A booking takes long enough for the queue to grow, and every order is finished in the end. */
export function waitingSettings(isQuick: boolean): Record<string, string> {
  const bookingMs = isQuick ? 3_000 : 70_000;
  // Half of the delay for the flight, half for the hotel.
  return {
    WAITERS_PER_UNIT: '100000',
    WAITERS_MAX: '200000',
    SUPPLIER_LATENCY_MS: String(bookingMs / 2),
    SUPPLIER_TIMEOUT_MS: String(2 * bookingMs),
  };
}

export async function growWaiting(turn: Turn, steps: readonly number[]): Promise<UnauditedRun[]> {
  const request = { kind: 'buy', packages: [1], prefer: 'respond-async' } as const;
  await warmUp(turn, { ...request, packages: [warmPackage] }, warmPurchases);
  const runs: UnauditedRun[] = [];
  for (const waiting of steps) {
    await fill(turn, request, waiting, 'waiting');
    runs.push(await cost(turn, request, { waiting }, '202'));
  }
  const drainedMs = await drained(turn);
  return runs.map((run, index) =>
    index === runs.length - 1 ? { ...run, figures: { ...run.figures, drainedMs } } : run,
  );
}

async function warmUp(
  { testbed, deployment }: Turn,
  request: RequestTemplate,
  purchases: number,
): Promise<void> {
  const { origins } = deployment;
  const count = testbed.isQuick ? purchases / 5 : purchases;
  for (let made = 0; made < count; ) {
    const { answers } = await testbed.closedLoop({
      origins,
      request,
      callers,
      seconds: 0.5,
      warmUpSeconds: 0,
    });
    const bought = (answers['201'] ?? 0) + (answers['202'] ?? 0);
    if (bought === 0) throw new Error(`nothing can be bought to warm up: ${JSON.stringify(answers)}`);
    made += bought;
  }
}

async function fill(
  { testbed, deployment }: Turn,
  request: RequestTemplate,
  until: number,
  figure: 'confirmed' | 'waiting',
): Promise<void> {
  const { origins } = deployment;
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    if (performance.now() > giveUpAt) throw new Error(`there were never ${until} ${figure}`);
    const has = (await figures(deployment))[figure] ?? 0;
    if (has >= until) return;
    testbed.progress(`filling: ${has} of ${until} ${figure}`);
    const left = until - has;
    const seconds = left > 100_000 ? 5 : left > 5_000 ? 0.5 : 0.1;
    await testbed.closedLoop({ origins, request, callers, seconds, warmUpSeconds: 0 });
  }
}

/** @param counted the status of the answers that count as purchases. */
async function cost(
  { testbed, deployment, round }: Turn,
  request: RequestTemplate,
  parameters: Readonly<Record<string, number>>,
  counted: '201' | '202',
): Promise<UnauditedRun> {
  const { origins } = deployment;
  const seconds = Math.min(testbed.seconds, secondsMax);
  testbed.progress(`measuring at ${JSON.stringify(parameters)}`);
  let rate = 0;
  const run = await measure(testbed, deployment, { round, parameters }, async () => {
    const result = await testbed.closedLoop({ origins, request, callers, seconds, warmUpSeconds });
    rate = perSecond(result, counted);
    return result;
  });
  if (rate === 0) throw new Error(`nothing was bought at ${JSON.stringify(parameters)}`);
  const { server = 0, databases = 0 } = run.cpu;
  const rates = counted === '201' ? { finished: rate } : { queuedPerSecond: rate };
  return { ...run, figures: { ...rates, ...costOf(server + databases, rate) } };
}

/** @returns the time from the first confirmed unit until the queue was empty. */
async function drained({ testbed, deployment }: Turn): Promise<number> {
  testbed.progress('waiting for the queue to end');
  const isOver = async () => (await figures(deployment)).waiting === 0;
  const giveUpAt = performance.now() + timeoutMs;
  while ((await figures(deployment)).confirmed === 0) {
    if (performance.now() > giveUpAt) throw new Error('no unit of the queue was ever confirmed');
    await pause(20);
  }
  const startedAt = performance.now();
  while (!(await isOver()) && performance.now() - startedAt < drainMsMax) await pause(20);
  return performance.now() - startedAt;
}

async function figures({ origins }: Deployment): Promise<Readonly<Record<string, number>>> {
  const response = await fetch(`${origins[0]}/api/packages/1`);
  return (await response.json()) as Readonly<Record<string, number>>;
}
