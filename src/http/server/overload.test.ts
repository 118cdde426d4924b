import { expect, it } from 'vitest';
import { ManualClock, settle } from '../../../test/support/manual-clock.ts';
import { LoopAdmission } from './overload.ts';

/** A loop each of whose turns comes so late, in ms. */
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
  await settle();
  const admitted = (count: number) =>
    Array.from({ length: count }, () => admission.admits()).filter(Boolean).length;
  return { clock, admission, admitted };
}

it('admits everybody while the loop turns, also after a single long pause', async () => {
  const { clock, admitted, admission } = await watched();
  await clock.pass(1_000);
  expect(admitted(10_000)).toBe(10_000);
  clock.lateMs = 5_000;
  await clock.pass(100);
  await clock.pass(5_100);
  clock.lateMs = 0;
  expect(admitted(10_000)).toBe(10_000);
  clock.lateMs = 399;
  await clock.pass(10_000);
  expect(admitted(10_000)).toBe(10_000);
  admission.stop();
});

it('turns away what is more than a few hundred per turn while the loop is far behind, until it has caught up', async () => {
  const { clock, admitted, admission } = await watched();
  clock.lateMs = 500;
  await clock.pass(4 * 600);
  expect(admitted(10_000)).toBe(256);
  expect(admitted(10)).toBe(0);
  await clock.pass(600);
  expect(admitted(10_000)).toBe(256);
  clock.lateMs = 0;
  await clock.pass(800);
  expect(admitted(10_000)).toBe(10_000);
  admission.stop();
});
