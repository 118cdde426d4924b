import { expect, it } from 'vitest';
import { ManualClock, runUntilIdle } from '../../test/support/manual-clock.ts';
import { ReadinessProbe } from './instance-status.ts';

const silence = ['the store, or the lease service, is silent'];

function lookedAt() {
  const clock = new ManualClock();
  const looks: PromiseWithResolvers<string[]>[] = [];
  const look = () => {
    const withResolvers = Promise.withResolvers<string[]>();
    looks.push(withResolvers);
    return withResolvers.promise;
  };
  const missing = new ReadinessProbe({ readinessProblems: look }, clock);
  return { missing, clock, looks };
}

it('the readiness probe returns the result of a fast check at once', async () => {
  const { missing, looks } = lookedAt();
  for (const found of [[], ['Redis does not answer'], []]) {
    const read = missing.read();
    looks.at(-1)?.resolve(found);
    expect(await read).toEqual(found);
  }
  expect(looks).toHaveLength(3);
});

it('the readiness probe waits 300 ms for a check that hangs, begins no second check, and reports a silent store after two seconds', async () => {
  const { missing, clock, looks } = lookedAt();
  const first = missing.read();
  await clock.advance(300);
  expect(await first).toEqual([]);
  await clock.advance(1_500);
  const late = missing.read();
  await clock.advance(300);
  expect(await late).toEqual(silence);
  expect(looks).toHaveLength(1);
  looks[0]?.resolve(['the store does not answer']);
  await runUntilIdle();
  const next = missing.read();
  await clock.advance(300);
  expect(await next).toEqual(['the store does not answer']);
});

it('the readiness probe reports a silent store if the check fails', async () => {
  const { missing, looks } = lookedAt();
  const read = missing.read();
  looks[0]?.reject(new Error('a bug'));
  expect(await read).toEqual(silence);
});
