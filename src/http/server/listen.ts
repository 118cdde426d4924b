import { once } from 'node:events';
import type { Server } from 'node:http';
import {
  type AddressInfo,
  createServer as createListener,
  type Server as Listener,
  type ListenOptions,
} from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { defined } from '../../lib/defined.ts';

interface ListenAddress {
  /** The port to listen at. 0 means any free port. */
  readonly port: number;
  /** The IP address or host name to listen at. Default: every IP address of the machine. */
  readonly host?: string | undefined;
}

/**
 * The number of listening sockets. A socket accepts one connection per turn of the event loop (libuv, since 1.45). In a
 * sale a turn takes 20 ms, so one socket would accept 50 connections a second, and new customers would wait for minutes.
 * The kernel spreads connections over all sockets at the port (SO_REUSEPORT).
 */
const listenersCount = 8;
const backlog = 4_096;

/** The additional listening sockets of a server, and the server that gets their connections. */
interface Listeners {
  readonly others: readonly Listener[];
  target: Server;
}

const listenersOf = new WeakMap<Server, Listeners>();

/**
 * Listens and returns the port. @throws Error when the port is in use, or the IP address does not belong to this
 * machine.
 */
export function listenAt(server: Server, { port, host }: ListenAddress): Promise<number> {
  const address: ListenOptions = { port, backlog, ...defined({ host }) };
  // The kernel picks a port that no other process uses.
  if (port === 0) return openAt(server, address);
  // With SO_REUSEPORT there is no error for a port in use, so try without it first, one process at a time.
  return withPortLock(port, async () => {
    await listening(createListener(), address).then(closed);
    return openAt(server, address);
  });
}

async function openAt(server: Server, address: ListenOptions): Promise<number> {
  try {
    await listening(server, { ...address, reusePort: true });
  } catch (error) {
    if (!isUnsupported(error)) throw error;
    await listening(server, address);
    return portOf(server);
  }
  await openListeners(server);
  return portOf(server);
}

/** Takes over the sockets of a listening server, so that no connection is refused meanwhile. Returns the port. */
export async function listenInsteadOf(server: Server, other: Server): Promise<number> {
  server.listen(other);
  await once(server, 'listening');
  const listeners = listenersOf.get(other);
  if (listeners !== undefined) attachListeners(server, listeners);
  return portOf(server);
}

async function openListeners(server: Server): Promise<void> {
  const { port, address: host } = server.address() as AddressInfo;
  const others: Listener[] = [];
  const listeners: Listeners = { others, target: server };
  attachListeners(server, listeners);
  while (others.length + 1 < listenersCount) {
    // The options that Node's HTTP server uses.
    const listener = createListener({ allowHalfOpen: true, noDelay: true }, (socket) => {
      listeners.target.emit('connection', socket);
    });
    try {
      await listening(listener, { port, host, backlog, reusePort: true });
    } catch {
      // The server also works with fewer sockets.
      return;
    }
    others.push(listener);
  }
}

/** Sends the connections of the additional sockets to this server. When the server closes, the sockets close too. */
function attachListeners(server: Server, listeners: Listeners): void {
  listeners.target = server;
  listenersOf.set(server, listeners);
  const closeOwn = server.close.bind(server);
  server.close = (done) => {
    let left = listeners.others.length + 1;
    let failure: Error | undefined;
    const closedOne = (error?: Error) => {
      failure ??= error;
      left -= 1;
      if (left === 0) done?.(failure);
    };
    for (const listener of listeners.others) listener.close(() => closedOne());
    return closeOwn(closedOne);
  };
}

async function listening<S extends Listener>(server: S, options: ListenOptions): Promise<S> {
  server.listen(options);
  await once(server, 'listening');
  return server;
}

function closed(listener: Listener): Promise<void> {
  return new Promise((resolve) => listener.close(() => resolve()));
}

function isUnsupported(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && /^(ENOTSUP|ENOSYS|EINVAL|ENOPROTOOPT)$/.test(`${error.code}`)
  );
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

const lookAgainMs = 10;
const lockTimeoutMs = 5_000;

/**
 * Runs `work` while holding a lock for the port among the processes of this machine. The lock is an abstract Unix
 * socket, which needs no cleaning up. If the lock is not free within {@link lockTimeoutMs}, or the system is not Linux,
 * `work` runs without the lock.
 */
async function withPortLock<T>(port: number, work: () => Promise<T>): Promise<T> {
  const lock =
    process.platform === 'linux' ? await lockName(`\0ticket-booking-listens-at-${port}`) : undefined;
  try {
    return await work();
  } finally {
    lock?.close();
  }
}

/** Waits for the lock. Closing the returned listener releases it. */
async function lockName(name: string): Promise<Listener | undefined> {
  const until = performance.now() + lockTimeoutMs;
  while (performance.now() < until) {
    try {
      return await listening(
        createListener((socket) => socket.destroy()),
        { path: name },
      );
    } catch {
      await sleep(lookAgainMs);
    }
  }
  return undefined;
}
