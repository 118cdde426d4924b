import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Deployment } from '../stage.ts';
import { StoppedError } from '../stopping.ts';
import { Starts } from './starts.ts';

/** Takes a while to start and to stop. */
function server() {
  const state = { isRunning: false, stops: 0 };
  const begin = async (): Promise<Deployment> => {
    await pause(20);
    state.isRunning = true;
    return {
      origins: [],
      pids: [],
      audit: async () => ({ verdict: 'none', detail: '' }),
      async stop() {
        state.stops += 1;
        await pause(20);
        state.isRunning = false;
      },
    };
  };
  return { state, begin };
}

it('stops what runs, once, and waits for a stop that is under way', async () => {
  const starts = new Starts();
  const { state, begin } = server();
  const deployment = await starts.start(begin);
  expect(state.isRunning).toBe(true);
  const first = deployment.stop();
  await starts.stopAll();
  expect(state).toEqual({ isRunning: false, stops: 1 });
  await first;
});

it('waits for a start that is under way, and stops what came of it', async () => {
  const starts = new Starts();
  const { state, begin } = server();
  const starting = starts.start(begin);
  starts.end();
  const refused = expect(starting).rejects.toThrow(StoppedError);
  await starts.stopAll();
  expect(state).toEqual({ isRunning: false, stops: 1 });
  await refused;
});

it('stops at the end of a scenario what it had not waited for, and goes on', async () => {
  const starts = new Starts();
  const { state, begin } = server();
  const starting = starts.start(begin);
  await starts.stopAll();
  await starting;
  expect(state.isRunning).toBe(false);
  await starts.start(begin);
  expect(state.isRunning).toBe(true);
});

it('starts nothing more once it is over', async () => {
  const starts = new Starts();
  const { state, begin } = server();
  starts.end();
  await expect(starts.start(begin)).rejects.toThrow(StoppedError);
  await pause(30);
  expect(state.isRunning).toBe(false);
});

it('is not kept by a start or a stop that fails', async () => {
  const starts = new Starts();
  const failing = starts.start(() => Promise.reject(new Error('no port')));
  await Promise.all([expect(failing).rejects.toThrow('no port'), starts.stopAll()]);
  const { begin } = server();
  await starts.start(async () => ({ ...(await begin()), stop: () => Promise.reject(new Error('stuck')) }));
  await starts.stopAll();
});
