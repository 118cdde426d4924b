import { expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { Abort } from '../lib/abort.ts';
import { Pace } from './pace.ts';

async function restsUntil(clock: ManualClock, rests: readonly Promise<void>[]): Promise<number[]> {
  const ends: number[] = [];
  for (const rest of rests) void rest.then(() => ends.push(clock.monotonic()));
  await clock.advance(10_000);
  return ends;
}

test('an idle process delivers without a pause', async () => {
  const clock = new ManualClock();
  const pace = new Pace(clock, () => false);
  expect(await restsUntil(clock, [pace.rest(16, new Abort())])).toEqual([0]);
});

test('Q12 a busy process delivers slowly, however many lanes deliver', async () => {
  const clock = new ManualClock();
  const pace = new Pace(clock, () => true);
  const until = new Abort();
  const rests = [pace.rest(10, until), pace.rest(10, until), pace.rest(0, until), pace.rest(10, until)];
  expect(await restsUntil(clock, rests)).toEqual([0, 1_000, 2_000, 3_000]);
});

test('a pause ends with the ownership', async () => {
  const clock = new ManualClock();
  const until = new Abort();
  const rest = new Pace(clock, () => true).rest(1_000, until);
  until.abort();
  await rest;
  expect(clock.monotonic()).toBe(0);
});
