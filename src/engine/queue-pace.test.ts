import { describe, expect, test } from 'vitest';
import { Prng } from '../../test/simulation/prng.ts';
import { Positions } from '../domain/number-runs.ts';
import type { EstimatedWait } from './engine.ts';
import { QueuePace } from './queue-pace.ts';

const second = 1_000;
const minute = 60 * second;

/** A queue with the numbers from 1 on. Orders leave its front, in moves, and the pace hears every move. */
class SimulatedQueue {
  readonly pace = new QueuePace(frontFrom(1), 0);
  #head = 1;

  move(departures: number, now: number): void {
    const whole = new Positions([this.#head, 1_000_000]);
    this.#head += departures;
    this.pace.hear(frontFrom(this.#head), whole, now);
  }

  /** Moves every `everyMs` after `from`, until `to`. */
  moveSteadily(everyMs: number, departures: number, from: number, to: number): void {
    for (let now = from + everyMs; now <= to; now += everyMs) this.move(departures, now);
  }
}

/** The first twenty numbers of a long queue. */
function frontFrom(head: number): number[] {
  return Array.from({ length: 20 }, (_, index) => head + index);
}

function contains(range: EstimatedWait | undefined, waitMs: number): boolean {
  if (range === undefined) return false;
  return range.minSeconds * second <= waitMs && waitMs <= range.maxSeconds * second;
}

test('the wait is not known before three moves and ten seconds', () => {
  const queue = new SimulatedQueue();
  expect(queue.pace.estimate(1, 0)).toBeUndefined();
  for (const now of [100, 200, 300]) queue.move(5, now);
  expect(queue.pace.estimate(1, 5 * second)).toBeUndefined();
  expect(queue.pace.estimate(1, 12 * second)).toBeDefined();

  const slow = new SimulatedQueue();
  for (const now of [5, 20]) slow.move(1, now * second);
  expect(slow.pace.estimate(1, 21 * second)).toBeUndefined();
  slow.move(1, 25 * second);
  expect(slow.pace.estimate(1, 26 * second)).toBeDefined();
});

describe('at a steady pace the range has the true wait', () => {
  test.each([
    [200, 1],
    [1 * second, 1],
    [1 * second, 7],
    [2 * second, 500],
    [7 * second, 1],
    [20 * second, 3],
    [45 * second, 1],
    [60 * second, 40],
  ])('with a move every %i ms, of %i orders', (everyMs, departures) => {
    for (const warmUpMs of [5 * minute, 5 * minute + 13_700, 17 * minute + 400]) {
      const queue = new SimulatedQueue();
      queue.moveSteadily(everyMs, departures, 0, warmUpMs);
      for (const position of [1, 2, 5, 19, 60, 100]) {
        const movesAhead = Math.ceil(position / departures);
        const waitMs = everyMs - (warmUpMs % everyMs) + (movesAhead - 1) * everyMs;
        const range = queue.pace.estimate(position, warmUpMs);
        const isTrue = contains(range, waitMs);
        expect({ position, warmUpMs, waitMs, range, isTrue }).toMatchObject({ isTrue: true });
      }
    }
  });

  test('and is narrow enough to be of use', () => {
    const queue = new SimulatedQueue();
    queue.moveSteadily(second, 1, 0, 5 * minute);
    expect(queue.pace.estimate(60, 5 * minute)).toEqual({ minSeconds: 30, maxSeconds: 120 });
  });
});

test('with random moves, nine in ten ranges have the true wait', () => {
  const random = new Prng(11);
  const meanMs = 2 * second;
  const interval = () => -Math.log(1 - random.fraction()) * meanMs;
  const positions = [1, 5, 20, 50];
  let truths = 0;
  const trials = 300;
  for (let trial = 0; trial < trials; trial++) {
    const queue = new SimulatedQueue();
    let movedAt = interval();
    for (; movedAt < 6 * minute; movedAt += interval()) queue.move(1, movedAt);
    const departsAt: number[] = [];
    for (let count = 0; count < 50; count++, movedAt += interval()) departsAt.push(movedAt);
    for (const position of positions) {
      const waitMs = (departsAt[position - 1] as number) - 6 * minute;
      if (contains(queue.pace.estimate(position, 6 * minute), waitMs)) truths++;
    }
  }
  expect(truths / (trials * positions.length)).toBeGreaterThan(0.9);
});

test('a pace that stops widens the range, and then the wait is not known', () => {
  const queue = new SimulatedQueue();
  const stoppedAt = 5 * minute;
  queue.moveSteadily(500, 1, 0, stoppedAt);
  const before = queue.pace.estimate(100, stoppedAt) as EstimatedWait;
  const later = queue.pace.estimate(100, stoppedAt + 25 * second) as EstimatedWait;
  expect(later.maxSeconds).toBeGreaterThan(before.maxSeconds);
  expect(later.minSeconds).toBeLessThanOrEqual(before.minSeconds);
  expect(queue.pace.estimate(100, stoppedAt + 31 * second)).toBeUndefined();
  expect(queue.pace.estimate(100, stoppedAt + 60 * minute)).toBeUndefined();
  queue.moveSteadily(500, 1, stoppedAt + 60 * minute, stoppedAt + 61 * minute);
  expect(contains(queue.pace.estimate(100, stoppedAt + 61 * minute), 50 * second)).toBe(true);
});

test('a slow queue has not stopped while its usual interval passes', () => {
  const queue = new SimulatedQueue();
  queue.moveSteadily(40 * second, 1, 0, 4 * minute);
  expect(contains(queue.pace.estimate(3, 4 * minute + 39 * second), 81 * second)).toBe(true);
  expect(queue.pace.estimate(3, 4 * minute + 10 * minute)).toBeUndefined();
});

test('a pace that changes is within the range, before the old pace is forgotten', () => {
  const queue = new SimulatedQueue();
  queue.moveSteadily(500, 1, 0, 5 * minute);
  queue.moveSteadily(5 * second, 1, 5 * minute, 6 * minute);
  expect(contains(queue.pace.estimate(10, 6 * minute), 50 * second)).toBe(true);
  queue.moveSteadily(500, 1, 6 * minute, 7 * minute);
  expect(contains(queue.pace.estimate(10, 7 * minute), 5 * second)).toBe(true);
});

test('a single burst does not promise the orders behind it the same', () => {
  const queue = new SimulatedQueue();
  queue.moveSteadily(30 * second, 1, 0, 4 * minute);
  queue.move(1_000, 4 * minute + 10 * second);
  queue.moveSteadily(30 * second, 1, 4 * minute + 10 * second, 5 * minute);
  expect(contains(queue.pace.estimate(20, 5 * minute), 20 * 30 * second)).toBe(true);
  // At this pace it takes more than eight hours.
  expect(queue.pace.estimate(1_000, 5 * minute)).toBeUndefined();
});

test('a wait of more than four hours is not estimated', () => {
  const queue = new SimulatedQueue();
  queue.moveSteadily(second, 1, 0, 5 * minute);
  expect(queue.pace.estimate(5_000, 5 * minute)?.maxSeconds).toBeLessThanOrEqual(4 * 3_600);
  expect(queue.pace.estimate(100_000, 5 * minute)).toBeUndefined();
});

describe('departures', () => {
  /** The estimate at position 100 after these fronts, one every second and repeated for a minute. */
  const estimated = (step: (round: number) => readonly (readonly number[])[], whole?: Positions) => {
    const pace = new QueuePace(step(0)[0] ?? [], 0);
    for (let round = 0; round < 60; round++)
      for (const front of step(round)) pace.hear(front, whole, round * second);
    return pace.estimate(100, minute);
  };
  const onlyMoves = estimated((round) => [frontFrom(1 + round)]);

  test('are counted once, also when an older snapshot comes late', () => {
    expect(onlyMoves).toBeDefined();
    const late = (round: number) => [frontFrom(1 + round), frontFrom(round), frontFrom(1 + round)];
    expect(estimated(late)).toEqual(onlyMoves);
  });

  test('are not orders that joined the queue after an older snapshot, which comes late', () => {
    const late = (round: number) => [
      frontFrom(1 + round),
      frontFrom(1 + round).slice(0, 5),
      frontFrom(1 + round),
    ];
    expect(estimated(late)).toEqual(onlyMoves);
  });

  test('are not orders that join the queue', () => {
    const growing = (round: number) => [frontFrom(1 + round).slice(0, 5 + Math.floor(round / 6))];
    expect(estimated(growing)).toEqual(onlyMoves);
  });

  test('are also orders that leave between the first and the last of the front', () => {
    // The second order leaves in every round, and the first one stays.
    const withdrawn = (round: number) => [[1, ...frontFrom(2 + round).slice(0, 19)]];
    expect(estimated(withdrawn)).toEqual(onlyMoves);
  });

  test('of more orders than a front has are counted by the whole queue that was known before', () => {
    const queue = (round: number) => [frontFrom(1 + 100 * round)];
    const counted = estimated(queue, new Positions([1, 1_000_000])) as EstimatedWait;
    const uncounted = estimated(queue) as EstimatedWait;
    expect(counted.maxSeconds).toBeLessThan(uncounted.maxSeconds);
  });
});

test('the range is rounded to steps that people use', () => {
  const queue = new SimulatedQueue();
  queue.moveSteadily(1_700, 1, 0, 5 * minute);
  for (let position = 1; position < 3_000; position += 13) {
    const { minSeconds, maxSeconds } = queue.pace.estimate(position, 5 * minute) as EstimatedWait;
    expect(minSeconds).toBeLessThan(maxSeconds);
    for (const seconds of [minSeconds, maxSeconds]) {
      const unit = seconds < 60 ? 5 : seconds < 3_600 ? 60 : 3_600;
      expect(seconds % unit).toBe(0);
    }
  }
});
