import { expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { FailedGuesses } from './failed-guesses.ts';

it('FailedGuesses lets a client guess a limited number of times in a window', async () => {
  const clock = new ManualClock();
  const guesses = new FailedGuesses({ clock, guessesMax: 2, windowMs: 10_000 });
  guesses.failed('a');
  await clock.advance(4_000);
  expect(guesses.waitS('a')).toBe(0);
  guesses.failed('a');
  expect(guesses.waitS('a')).toBe(6);
  expect(guesses.waitS('b')).toBe(0);
  await clock.advance(6_000);
  expect(guesses.waitS('a')).toBe(0);
  guesses.failed('a');
  expect(guesses.waitS('a')).toBe(0);
});

it('FailedGuesses forgets the oldest client beyond the limit of clients', () => {
  const guesses = new FailedGuesses({ clock: new ManualClock(), guessesMax: 1, clientsMax: 2 });
  for (const client of ['a', 'b', 'c']) guesses.failed(client);
  expect(['a', 'b', 'c'].map((client) => guesses.waitS(client) > 0)).toEqual([false, true, true]);
});
