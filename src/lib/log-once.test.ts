import { expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { LogOnce } from './log-once.ts';

it('logs a problem again only after another problem or after its end', () => {
  const logged: string[] = [];
  const once = new LogOnce();
  const report = (problem: string) => once.report(problem, () => logged.push(problem));
  expect(once.end()).toBe(false);
  for (const problem of ['away', 'away', 'slow', 'slow', 'away']) report(problem);
  expect(logged).toEqual(['away', 'slow', 'away']);
  expect(once.end()).toBe(true);
  report('away');
  expect(logged).toEqual(['away', 'slow', 'away', 'away']);
});

it('logs a problem that comes and goes all the time once in a pause, with its end', async () => {
  const clock = new ManualClock();
  const logged: string[] = [];
  const once = new LogOnce({ clock, pauseMs: 60_000 });
  const flap = () => {
    once.report('away', () => logged.push('away'));
    if (once.end()) logged.push('back');
  };
  for (let count = 0; count < 100; count++) flap();
  expect(logged).toEqual(['away', 'back']);
  await clock.advance(60_000);
  // A problem that began within the pause, and lasts, is logged after it.
  once.report('slow', () => logged.push('slow'));
  once.report('away', () => logged.push('away'));
  expect(logged).toEqual(['away', 'back', 'slow']);
  expect(once.end()).toBe(true);
});
