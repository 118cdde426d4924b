import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { StoppedError } from '../stopping.ts';
import type { Deployment } from '../testbed.ts';
import { StartedServers } from './started-servers.ts';

/** A server that takes a while to start and to stop. */
function server() {
  const state = { isRunning: false, stops: 0 };
  const begin = async (): Promise<Deployment> => {
    await pause(20);
    state.isRunning = true;
    return {
      origins: [],
      pids: [],
      databasePids: [],
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

it('stops a running server once, and waits for a stop in progress', async () => {
  const starts = new StartedServers();
  const { state, begin } = server();
  const deployment = await starts.start(begin);
  expect(state.isRunning).toBe(true);
  const first = deployment.stop();
  await starts.stopAll();
  expect(state).toEqual({ isRunning: false, stops: 1 });
  await first;
});

it('waits for a start in progress, and stops that server', async () => {
  const starts = new StartedServers();
  const { state, begin } = server();
  const starting = starts.start(begin);
  starts.end();
  const refused = expect(starting).rejects.toThrow(StoppedError);
  await starts.stopAll();
  expect(state).toEqual({ isRunning: false, stops: 1 });
  await refused;
});

it('stops a server at the end of a scenario that did not wait for its start, and can start more', async () => {
  const starts = new StartedServers();
  const { state, begin } = server();
  const starting = starts.start(begin);
  await starts.stopAll();
  await starting;
  expect(state.isRunning).toBe(false);
  await starts.start(begin);
  expect(state.isRunning).toBe(true);
});

it('starts no server after the end', async () => {
  const starts = new StartedServers();
  const { state, begin } = server();
  starts.end();
  await expect(starts.start(begin)).rejects.toThrow(StoppedError);
  await pause(30);
  expect(state.isRunning).toBe(false);
});

it('survives a start and a stop that fail', async () => {
  const starts = new StartedServers();
  const failing = starts.start(() => Promise.reject(new Error('no port')));
  await Promise.all([expect(failing).rejects.toThrow('no port'), starts.stopAll()]);
  const { begin } = server();
  await starts.start(async () => ({ ...(await begin()), stop: () => Promise.reject(new Error('stuck')) }));
  await starts.stopAll();
});
