import { expect, test } from 'vitest';
import { CongestionWindow } from './circuit-breaker.ts';

/** A round of calls, all answered. */
function round(window: CongestionWindow): number {
  const calls = window.room;
  for (let call = 0; call < calls; call++) window.begun();
  for (let call = 0; call < calls; call++) {
    window.answered();
    window.ended();
  }
  return calls;
}

/** A window that was shut while this many calls were in flight. */
function shutUnder(calls: number): CongestionWindow {
  const window = new CongestionWindow();
  for (let call = 0; call < calls; call++) window.begun();
  window.shut();
  for (let call = 0; call < calls; call++) window.ended();
  return window;
}

test('has no limit until the supplier has been away', () => {
  const window = new CongestionWindow();
  window.unanswered();
  for (let call = 0; call < 10_000; call++) window.begun();
  expect(window.room).toBe(Number.POSITIVE_INFINITY);
});

test('doubles with each round up to half of the size that failed, then grows by about one per round', () => {
  const window = shutUnder(256);
  expect(Array.from({ length: 5 }, () => round(window))).toEqual([8, 16, 32, 64, 128]);
  for (let rounds = 0; rounds < 10; rounds++) round(window);
  expect(window.room).toBeGreaterThan(135);
  expect(window.room).toBeLessThanOrEqual(138);
});

test('is halved after each missing answer, down to a minimum', () => {
  const window = shutUnder(512);
  for (const _ of [1, 2, 3]) round(window);
  expect(window.room).toBe(64);
  window.unanswered();
  expect(window.room).toBe(32);
  for (const _ of [1, 2, 3, 4]) window.unanswered();
  expect(window.room).toBe(8);
});

test('the limit is removed once the window has grown to its maximum', () => {
  const window = shutUnder(4_096);
  for (let rounds = 0; rounds < 7; rounds++) expect(round(window)).toBeLessThan(1_024);
  expect(window.room).toBe(Number.POSITIVE_INFINITY);
});
