import { Worker } from 'node:worker_threads';
import { Counters } from './counters.ts';
import { noFaults } from './faults.ts';
import type { SeedResult } from './simulation.ts';

export interface Range {
  readonly from: number;
  readonly seeds: number;
  readonly workers: number;
  /** Called after each seed. */
  readonly onResult?: (result: SeedResult, done: number) => void;
  /** Whether to end at the first violation. */
  readonly stopAtFirst?: boolean;
  /** As in `SimulationOptions`. */
  readonly notices?: boolean;
}

export interface RangeResult {
  readonly seeds: number;
  readonly steps: number;
  readonly violations: readonly SeedResult[];
  readonly counters: Counters;
  readonly seconds: number;
}

/**
 * A worker is replaced after this number of seeds. Node keeps the abort signals of crashed processes until the worker
 * ends, about 0.25 MB per seed.
 */
const shiftSeeds = 500;

const program = new URL('simulate-program.ts', import.meta.url);

/**
 * Runs a range of seeds on several cores.
 * @throws Error with the seed at which a worker broke or ended too early.
 */
export async function simulateRange(range: Range): Promise<RangeResult> {
  const { from, seeds, workers, onResult, stopAtFirst = false, notices = false } = range;
  const startedAt = performance.now();
  const counters = new Counters();
  const violations: SeedResult[] = [];
  let done = 0;
  let steps = 0;
  let isOver = false;
  const running = new Set<Worker>();
  const stop = () => {
    isOver = true;
    for (const worker of running) void worker.terminate();
  };
  const onSeed = (result: SeedResult) => {
    done += 1;
    steps += result.steps;
    counters.add(result.counters);
    if (result.violation !== undefined) violations.push(result);
    onResult?.(result, done);
    if (stopAtFirst && violations.length > 0) stop();
  };
  const count = Math.max(1, Math.min(workers, seeds));
  for (let first = from; first < from + seeds && !isOver; first += count * shiftSeeds) {
    const to = Math.min(first + count * shiftSeeds, from + seeds);
    const shifts = Array.from({ length: count }, (_, index) => ({
      from: first + index,
      to,
      step: count,
      notices,
    }));
    const work = shifts.map((shift) => runShift(shift, running, onSeed, () => isOver));
    await Promise.all(work).catch((error: unknown) => {
      stop();
      throw error;
    });
    running.clear();
  }
  violations.sort((one, other) => one.seed - other.seed);
  return { seeds: done, steps, violations, counters, seconds: (performance.now() - startedAt) / 1000 };
}

interface Shift {
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly notices: boolean;
}

/**
 * Runs one worker.
 * @throws Error with the seed at which the worker broke or ended too early.
 */
async function runShift(
  shift: Shift,
  running: Set<Worker>,
  onSeed: (result: SeedResult) => void,
  isOver: () => boolean,
): Promise<void> {
  let next = shift.from;
  const worker = new Worker(program, { workerData: shift });
  running.add(worker);
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      reject(new Error(`seed ${next} could not be simulated: ${why}`, { cause }));
    worker.on('message', (result: SeedResult) => {
      next = result.seed + shift.step;
      onSeed(result);
    });
    worker.on('error', (error: Error) => fail(error.message, error));
    worker.on('exit', (code) => {
      if (isOver() || next >= shift.to) resolve();
      else fail(`its worker ended with exit code ${code}`);
    });
  });
}

/** The faults and outcomes that never occurred in the range and so were not tested. */
export function missingIn(counters: Counters, { notices = false }: Pick<Range, 'notices'> = {}): string[] {
  const expected = [...expectedFaults, ...expectedOutcomes, ...(notices ? expectedOfNotices : [])];
  return expected.filter((what) => counters.of(what) === 0);
}

/** Whether most purchases failed, so that the range proves little. */
export function isMostlyErrors(counters: Counters): boolean {
  return counters.of('accepted') < counters.of('refused no_owner') + counters.of('refused store_unavailable');
}

const expectedFaults = Object.keys(noFaults).map((fault) => `fault ${fault}`);

/** Effects and answers that must occur at least once in a long range. */
const expectedOutcomes = [
  ...['crash', 'paused past the lease', 'lease lost', 'takeover', 'fenced', 'drained'],
  ...['upgrade', 'newer release', 'member flaps'],
  ...['world of many packages', 'hundreds of packages were taken over', 'hand-over of many packages'],
  ...['world of long queue', 'a takeover read several pages of the product'],
  ...['crash within a takeover', 'paused within a takeover'],
  ...['takeover without its orders', 'takeover overtaken'],
  ...['newer package', 'damaged package', 'newer order', 'damaged order'].map((what) => `met a ${what}`),
  'unreadable for ever',
  ...['commit', 'commit unknown, applied', 'commit unknown, not applied', 'commit unavailable'],
  ...['message cut off', 'message overtaken'],
  ...[
    'supplier hangs',
    'supplier fails',
    'suppliers unavailable',
    'suppliers available again',
    'a package uses its share',
  ],
  ...['supplier unknown', 'cancel overtook', 'cancel failed again and again'],
  ...[
    'world with payments',
    'refund failed again and again',
    'paid too late, and refunded',
    'paid in a takeover',
  ],
  ...['held', 'payable', 'compensating', 'failed', 'confirmed'].map((status) => `paid while ${status}`),
  ...['paid', 'declined', 'cancelled', 'refunded'].map((status) => `payment ${status}`),
  ...['refused', 'declined', 'expired', 'abandoned'].map((reason) => `unpaid: payment_${reason}`),
  ...['event accepted', 'forged event refused', 'cancel over the API 200', 'cancel over the API 202'],
  ...['accepted', 'hung up', 'key joined', 'looked and found', 'looked and missed'],
  ...['confirmed', 'failed', 'rejected', 'withdrawn', 'cancelled'].map((status) => `outcome ${status}`),
  ...['sold_out', 'queue_full', 'paused', 'not_open', 'sale_closed', 'order_limit'].map(refused),
  ...['key_reused', 'unknown_package', 'no_owner', 'store_unavailable'].map(refused),
  ...['cancel accepted', 'cancel in_progress', 'cancel not_cancellable'],
  ...['amend done', 'amend version_conflict', 'amend quota_too_low'],
  ...['retry done', 'retry not_retryable', 'erase done'],
];

/** What must occur too if notices are delivered. */
const expectedOfNotices = ['delivered', 'repeated', 'given up', 'lost', 'reply lost', 'hangs', 'refused'].map(
  (what) => `notice ${what}`,
);

function refused(code: string): string {
  return `refused ${code}`;
}
