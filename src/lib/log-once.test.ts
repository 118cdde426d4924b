import { expect, it } from 'vitest';
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
