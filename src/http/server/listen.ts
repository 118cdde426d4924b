import { once } from 'node:events';
import type { Server } from 'node:http';
import {
  type AddressInfo,
  createServer as createDoor,
  createServer,
  type Server as Door,
  type ListenOptions,
} from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ListenAddress {
  /** 0 takes any free one. */
  readonly port: number;
  /** Absent: every address of the machine. */
  readonly host?: string | undefined;
}

/**
 * A listening socket hands over one connection per turn of the event loop (libuv, since 1.45). While turns take 20 ms,
 * as they do when thousands buy at once, that is 50 new people a second: those who come then wait for minutes. So we
 * listen with several sockets at the same port, between which the kernel spreads who comes (SO_REUSEPORT).
 */
const doorsCount = 8;
const backlog = 4_096;

/** The listening sockets beside a server's own, and the server that they lead to. */
interface Doors {
  readonly others: readonly Door[];
  leadTo: Server;
}

const doorsOf = new WeakMap<Server, Doors>();

/** Starts to listen; returns the port. @throws Error when the address is taken, or is none of this machine. */
export function listenAt(server: Server, { port, host }: ListenAddress): Promise<number> {
  const address: ListenOptions = { port, backlog, ...(host === undefined ? {} : { host }) };
  // A free one that the kernel picks is nobody else's.
  if (port === 0) return openAt(server, address);
  // With several sockets at a port nobody is told that it is taken: ask first, and not at the same time as others.
  return withPortLock(port, async () => {
    await listened(createDoor(), address).then(closed);
    return openAt(server, address);
  });
}

async function openAt(server: Server, address: ListenOptions): Promise<number> {
  try {
    await listened(server, { ...address, reusePort: true });
  } catch (error) {
    if (!isUnsupported(error)) throw error;
    await listened(server, address);
    return portOf(server);
  }
  await openDoors(server);
  return portOf(server);
}

/** Takes over from a server that listens: no caller is turned away in between. Returns the port. */
export async function listenInsteadOf(server: Server, other: Server): Promise<number> {
  server.listen(other);
  await once(server, 'listening');
  const doors = doorsOf.get(other);
  if (doors !== undefined) hang(server, doors);
  return portOf(server);
}

async function openDoors(server: Server): Promise<void> {
  const { port, address: host } = server.address() as AddressInfo;
  const others: Door[] = [];
  const doors: Doors = { others, leadTo: server };
  hang(server, doors);
  while (others.length + 1 < doorsCount) {
    // As an HTTP server opens its own.
    const door = createDoor({ allowHalfOpen: true, noDelay: true }, (socket) => {
      doors.leadTo.emit('connection', socket);
    });
    try {
      await listened(door, { port, host, backlog, reusePort: true });
    } catch {
      // One is enough, if it has to be.
      return;
    }
    others.push(door);
  }
}

/** From here on the doors lead to this server, and closing it closes them. */
function hang(server: Server, doors: Doors): void {
  doors.leadTo = server;
  doorsOf.set(server, doors);
  const closeOwn = server.close.bind(server);
  server.close = (done) => {
    let left = doors.others.length + 1;
    let failure: Error | undefined;
    const closedOne = (error?: Error) => {
      failure ??= error;
      left -= 1;
      if (left === 0) done?.(failure);
    };
    for (const door of doors.others) door.close(() => closedOne());
    return closeOwn(closedOne);
  };
}

async function listened<S extends Door>(server: S, options: ListenOptions): Promise<S> {
  server.listen(options);
  await once(server, 'listening');
  return server;
}

function closed(door: Door): Promise<void> {
  return new Promise((resolve) => door.close(() => resolve()));
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
