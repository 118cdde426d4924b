import { expect, it } from 'vitest';
import { ManualClock, runUntilIdle } from '../../test/support/manual-clock.ts';
import { LoopAdmission } from './limits.ts';

/** An event loop in which each timer is late by the given ms. */
class LateClock extends ManualClock {
  lateMs = 0;
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return super.sleep(ms + this.lateMs, signal);
  }
}

async function watched() {
  const clock = new LateClock();
  const admission = new LoopAdmission(clock);
  admission.start();
  await runUntilIdle();
  const admitted = (count: number) =>
    Array.from({ length: count }, () => admission.admits()).filter(Boolean).length;
  return { clock, admission, admitted };
}

it('admits all purchases while the event loop is on time, also after one long pause', async () => {
  const { clock, admitted, admission } = await watched();
  await clock.advance(1_000);
  expect(admitted(10_000)).toBe(10_000);
  clock.lateMs = 5_000;
  await clock.advance(100);
  await clock.advance(5_100);
  clock.lateMs = 0;
  expect(admitted(10_000)).toBe(10_000);
  clock.lateMs = 399;
  await clock.advance(10_000);
  expect(admitted(10_000)).toBe(10_000);
  admission.stop();
});

it('admits a limited number per tick while the event loop is late, until the loop has caught up', async () => {
  const { clock, admitted, admission } = await watched();
  clock.lateMs = 500;
  await clock.advance(4 * 600);
  expect(admitted(10_000)).toBe(256);
  expect(admitted(10)).toBe(0);
  await clock.advance(600);
  expect(admitted(10_000)).toBe(256);
  clock.lateMs = 0;
  await clock.advance(800);
  expect(admitted(10_000)).toBe(10_000);
  admission.stop();
});
