import type { ClockUpdate, OrderUpdate, PackageUpdate } from './api-types.ts';
import type { Clock } from './timing.ts';

/** An event of a WebSocket; `data` is that of a message. */
export interface SocketEvent {
  readonly type: string;
  readonly data?: unknown;
}

/** The part of a WebSocket that the client uses. */
export interface Socket {
  addEventListener(type: string, listener: (event: SocketEvent) => void): void;
  close(): void;
  /** Ends the connection without a word to the other side, as the sockets of the package `ws` can. */
  terminate?(): void;
}

export type SocketConstructor = new (url: string) => Socket;

/** A message of the server, as `/asyncapi.json` describes it. */
export type LiveMessage = ClockUpdate | PackageUpdate | OrderUpdate;

/** The server sends something at least every 4 s, so a connection that is silent for longer than this is dead. */
const silenceMsMax = 9_000;
/**
 * The longest time without a state of the order, in ms. An instance that sends only its clock may have missed the change,
 * so the order is looked up then, and watched on a new connection.
 */
const orderMsMax = 30_000;
/** Timeout for connecting and for the first message. */
const connectMsMax = 5_000;

export interface Watching {
  readonly url: string;
  readonly socket: SocketConstructor;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called for each message. Watching ends when it returns true. */
  readonly onMessage: (message: LiveMessage) => boolean;
}

/**
 * Watches an order until `onMessage` returns true, the connection ends, nothing is heard of the order for 30 s, or the signal
 * aborts. Returns whether the server has sent anything that the client understands: if not, another attempt will hardly do
 * better.
 * @throws what `onMessage` throws.
 */
export async function watch({ url, socket: Socket, clock, signal, onMessage }: Watching): Promise<boolean> {
  const ended = new AbortController();
  const end = () => ended.abort();
  let heardAt = clock.monotonic();
  let orderHeardAt = heardAt;
  let hasHeard = false;
  let isSilent = false;
  let thrown: { readonly error: unknown } | undefined;

  let socket: Socket;
  try {
    socket = new Socket(url);
  } catch {
    // Such as a page whose policy forbids the connection.
    return false;
  }
  socket.addEventListener('close', end);
  socket.addEventListener('error', end);
  socket.addEventListener('message', ({ data }) => {
    if (ended.signal.aborted) return;
    const message = parsed(data);
    if (message === undefined) return end();
    heardAt = clock.monotonic();
    hasHeard = true;
    if ('order' in message) orderHeardAt = heardAt;
    try {
      if (onMessage(message)) end();
    } catch (error) {
      thrown = { error };
      end();
    }
  });
  signal.addEventListener('abort', end);
  if (signal.aborted) end();

  while (!ended.signal.aborted) {
    const silentInMs = heardAt + (hasHeard ? silenceMsMax : connectMsMax) - clock.monotonic();
    const leftMs = Math.min(silentInMs, orderHeardAt + orderMsMax - clock.monotonic());
    isSilent = silentInMs <= 0;
    if (leftMs <= 0) break;
    await clock.sleep(leftMs, ended.signal);
  }
  end();
  signal.removeEventListener('abort', end);
  // The other side of a silent connection would not answer the closing handshake, and the socket would keep Node alive.
  if (isSilent && socket.terminate !== undefined) socket.terminate();
  else socket.close();
  if (thrown !== undefined) throw thrown.error;
  return hasHeard;
}

/** The message in a frame; undefined for one of another format, such as the fragments that a server without JSON sends. */
function parsed(data: unknown): LiveMessage | undefined {
  if (typeof data !== 'string' || !data.startsWith('{')) return undefined;
  try {
    return JSON.parse(data) as LiveMessage;
  } catch {
    return undefined;
  }
}
