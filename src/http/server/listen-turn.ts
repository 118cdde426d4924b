import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const lookAgainMs = 10;
const lockTimeoutMs = 5_000;

/**
 * Lets one process of this machine at a time do something about a port, for example look whether it is free and take
 * it. Where whoever is at it takes very long, the work is done all the same, and so it is on other systems than Linux:
 * a name of its abstract sockets is held meanwhile, which nobody has to clean up after, in the namespace of the port.
 */
export async function withPortLock<T>(port: number, work: () => Promise<T>): Promise<T> {
  const giveUp =
    process.platform === 'linux' ? await lockName(`\0ticket-booking-listens-at-${port}`) : () => {};
  try {
    return await work();
  } finally {
    giveUp();
  }
}

/** Waits for the name; returns how to give it up. */
async function lockName(name: string): Promise<() => void> {
  const until = performance.now() + lockTimeoutMs;
  while (performance.now() < until) {
    const holder = createServer((socket) => socket.destroy()).listen(name);
    try {
      await once(holder, 'listening');
      return () => holder.close();
    } catch {
      await sleep(lookAgainMs);
    }
  }
  return () => {};
}
