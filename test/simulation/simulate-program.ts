import { parentPort, workerData } from 'node:worker_threads';
import { simulate } from './simulation.ts';

/** Runs in a worker thread: simulates the thread's seeds and posts each result. */
const { from, to, step, notices } = workerData as {
  from: number;
  to: number;
  step: number;
  notices: boolean;
};
for (let seed = from; seed < to; seed += step) {
  parentPort?.postMessage(await simulate(seed, undefined, { notices }));
}
