import { expect, it } from 'vitest';
import { CpuMeter } from './cpu-meter.ts';

/** A manual clock and CPU counter. */
function fakeMachine() {
  const now = { at: 0, cpu: 0 };
  return {
    meter: new CpuMeter(() => ({ ...now })),
    pass(seconds: number, cores: number) {
      now.at += seconds * 1000;
      now.cpu += seconds * cores;
    },
  };
}

it('measures the CPU time of the whole work', async () => {
  const { meter, pass } = fakeMachine();
  const { result, cores } = await meter.coresOf([1], async () => {
    pass(3, 0.5);
    pass(1, 1.5);
    return 'done';
  });
  expect(result).toBe('done');
  expect(cores).toBe(0.75);
});

it('measures only the windows of loads if the work has loads', async () => {
  const { meter, pass } = fakeMachine();
  const { cores } = await meter.coresOf([1], async () => {
    pass(5, 2);
    for (const used of [0.5, 1]) {
      meter.windowBegins();
      pass(1, used);
      meter.windowEnds();
      pass(5, 2);
    }
  });
  expect(cores).toBe(0.75);
});

it('reads the CPU time of processes, and 0 of ended ones', async () => {
  const meter = new CpuMeter();
  const used = await meter.coresOf([process.pid], async () => {
    const before = process.cpuUsage();
    while (process.cpuUsage(before).user < 100_000);
  });
  expect(used.cores).toBeGreaterThan(0);
  const gone = await meter.coresOf([2 ** 30], () => new Promise((resolve) => setTimeout(resolve, 5)));
  expect(gone.cores).toBe(0);
});
