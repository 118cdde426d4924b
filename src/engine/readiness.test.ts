import { beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import { Readiness } from './readiness.ts';

const well = { isDraining: false, isTransportAvailable: true };
let clock: ManualClock;
let problem: { ping?: Error; probe?: Error; leases?: Error };
let asked: { probe: number; leases: number };
let readiness: Readiness;

function answer(error: Error | undefined): Promise<void> {
  return error === undefined ? Promise.resolve() : Promise.reject(error);
}

beforeEach(() => {
  clock = new ManualClock();
  problem = {};
  asked = { probe: 0, leases: 0 };
  const store = {
    ping: () => answer(problem.ping),
    probe: () => {
      asked.probe++;
      return answer(problem.probe);
    },
  };
  const leases = {
    ping: () => {
      asked.leases++;
      return answer(problem.leases);
    },
  };
  readiness = new Readiness({ store, clock, leases });
});

test('readiness reports no problem while everything works, and otherwise the cause of each problem', async () => {
  expect(await readiness.problems(well)).toEqual([]);
  expect(await readiness.problems({ ...well, isDraining: true })).toEqual(['this instance is draining']);
  expect(await readiness.problems({ ...well, isTransportAvailable: false })).toEqual([
    'Redis does not answer',
  ]);
  problem = { probe: new StoreUnavailableError('the disk is full'), leases: new Error('2 of 3 are away') };
  await clock.advance(2_000);
  expect(await readiness.problems(well)).toEqual([
    'the store takes no writes: the disk is full',
    'the lease service does not answer: 2 of 3 are away',
  ]);
});

test('readiness makes no test write if the store does not answer reads', async () => {
  problem = { ping: new StoreUnavailableError('away') };
  expect(await readiness.problems(well)).toEqual(['the store does not answer: away']);
  expect(asked.probe).toBe(0);
});

test('readiness makes a test write at most every two seconds, and every five seconds while writes fail', async () => {
  await Promise.all(Array.from({ length: 50 }, () => readiness.problems(well)));
  await clock.advance(1_999);
  await readiness.problems(well);
  expect(asked).toEqual({ probe: 1, leases: 1 });
  problem = { probe: new StoreUnavailableError('locked') };
  await clock.advance(1);
  expect(await readiness.problems(well)).toHaveLength(1);
  problem = {};
  await clock.advance(4_999);
  expect(await readiness.problems(well)).toHaveLength(1);
  await clock.advance(1);
  expect(await readiness.problems(well)).toEqual([]);
  expect(asked.probe).toBe(3);
});

test('readiness looks again after its pause, also if the time was set back', async () => {
  expect(await readiness.problems(well)).toEqual([]);
  problem = { probe: new StoreUnavailableError('the disk is full') };
  clock.jump(-3_600_000);
  await clock.advance(2_000);
  await readiness.problems(well);
  expect(await readiness.problems(well)).toEqual(['the store takes no writes: the disk is full']);
});
