import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { createNodeWebSocket } from '@hono/node-ws';
import { Hono } from 'hono';
import type { WebSocket } from 'ws';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../observability/log.ts';
import { closeCodes, type Viewer } from './fanout.ts';
import { livePath } from './handshake.ts';
import { Interval } from './schedule.ts';
import { refuse } from './upgrade.ts';

/** The largest message that a client may send, in bytes. The pages send no messages. */
const messageBytesMax = 64 * 1024;
/** The most messages and pings that a client may send in ten seconds. */
const messagesMax = 64;
/**
 * How often connections are pinged. A connection that has not answered a ping when the next ping is due is terminated.
 */
const pingEveryMs = 30_000;
/** How long a client may take to answer the close message. */
const closeTimeoutMs = 2000;
/** How many sockets are pinged before other work of the event loop has its turn. */
const pingsPerSlice = 256;
const rateWindowMs = 10_000;

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>;

/** Called when a connection has opened. Returns a function to call when the connection has ended. */
type OnOpen = (viewer: Viewer) => () => void;

interface PendingHandshake {
  readonly onOpen: OnOpen;
  readonly connection: Duplex;
}

/**
 * WebSockets over `@hono/node-ws`. Only this file uses that library, and only for requests that have passed
 * `checkHandshake`: the library's `upgrade` listener handles no errors, and a failed handshake leaks memory.
 */
export class Sockets {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #open = new Map<WebSocket, SocketViewer>();
  readonly #handshakes = new WeakMap<IncomingMessage, PendingHandshake>();
  readonly #pings: Interval;
  readonly #upgrade: UpgradeListener;
  /** All sockets share these functions, because a closure for each socket would cost memory. */
  readonly #onMessage: (this: WebSocket) => void;
  readonly #onClose: (this: WebSocket) => void;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#upgrade = this.#nodeWebSocket();
    const countMessage = (socket: WebSocket) => this.#countMessage(socket);
    const end = (socket: WebSocket) => this.#end(socket);
    this.#onMessage = function () {
      countMessage(this);
    };
    this.#onClose = function () {
      end(this);
    };
    this.#pings = new Interval(clock, {
      pauseMs: () => 1000,
      isNeeded: () => this.#open.size > 0,
      pass: () => this.#ping(),
    });
  }

  get size(): number {
    return this.#open.size;
  }

  /** Completes a handshake that `checkHandshake` has accepted. Never throws. */
  async accept(request: IncomingMessage, socket: Duplex, head: Buffer, onOpen: OnOpen): Promise<void> {
    this.#handshakes.set(request, { onOpen, connection: socket });
    try {
      await this.#upgrade(request, socket, head);
    } catch (err) {
      this.#log.warn({ err }, 'A WebSocket handshake failed.');
      refuse(socket, 'bad_request');
    }
  }

  stop(): void {
    this.#pings.stop();
  }

  /** The library attaches its `upgrade` listener to a server. This method catches the listener instead. */
  #nodeWebSocket(): UpgradeListener {
    const app = new Hono();
    const { wss, injectWebSocket, upgradeWebSocket } = createNodeWebSocket({ app });
    Object.assign(wss.options, {
      maxPayload: messageBytesMax,
      maxFragments: 64,
      maxBufferedChunks: 4096,
      closeTimeout: closeTimeoutMs,
      perMessageDeflate: false,
    });
    app.get(
      livePath,
      upgradeWebSocket((c) => {
        const handshake = this.#handshakes.get(c.env.incoming);
        return {
          onOpen: (_event, { raw }) => {
            if (raw !== undefined && handshake !== undefined) this.#opened(raw, handshake);
          },
        };
      }),
    );
    const catcher = new EventEmitter();
    injectWebSocket(catcher as Server);
    const [listener] = catcher.listeners('upgrade');
    if (listener === undefined) throw new TypeError('@hono/node-ws did not listen for upgrades');
    return listener as UpgradeListener;
  }

  #opened(socket: WebSocket, { onOpen, connection }: PendingHandshake): void {
    // Right after this call the library adds listeners that keep the whole request in memory, which is half of the
    // memory of an idle connection. This microtask replaces those listeners before any event can arrive.
    const own = socket.listeners('close');
    queueMicrotask(() => {
      for (const event of ['message', 'error'] as const) socket.removeAllListeners(event);
      for (const listener of socket.listeners('close')) {
        if (!own.includes(listener)) socket.off('close', listener as () => void);
      }
      socket.on('close', this.#onClose);
      // Ignore the error: `ws` has already answered the broken frame with a close code, and a `close` event follows.
      socket.on('error', ignore);
      for (const event of ['message', 'ping', 'pong'] as const) socket.on(event, this.#onMessage);
    });
    const viewer = new SocketViewer(socket, connection, this.#clock.monotonic());
    this.#open.set(socket, viewer);
    // Cork the connection, so that the first messages leave in one packet.
    connection.cork();
    try {
      viewer.onEnd = onOpen(viewer);
    } finally {
      connection.uncork();
    }
    this.#pings.wake();
  }

  /** Counts a message. The content of messages is ignored, but too many messages end the connection. */
  #countMessage(socket: WebSocket): void {
    const count = this.#open.get(socket)?.countMessage(this.#clock.monotonic()) ?? 0;
    if (count > 2 * messagesMax) socket.terminate();
    else if (count > messagesMax) socket.close(closeCodes.refused, 'too many messages');
  }

  #end(socket: WebSocket): void {
    const viewer = this.#open.get(socket);
    this.#open.delete(socket);
    viewer?.onEnd();
  }

  async #ping(): Promise<void> {
    const now = this.#clock.monotonic();
    let pinged = 0;
    for (const viewer of this.#open.values()) {
      if (!viewer.ping(now)) continue;
      if (++pinged % pingsPerSlice === 0) await setImmediate();
    }
  }
}

function ignore(): void {}

/** A WebSocket as a viewer. A viewer holds little more than numbers, because there are thousands of viewers. */
class SocketViewer implements Viewer {
  readonly #socket: WebSocket;
  /** The TCP connection of the WebSocket. */
  readonly #connection: Duplex;
  onEnd: () => void = ignore;
  #isAlive = true;
  #pingedAt: number;
  #windowFrom: number;
  #messages = 0;

  constructor(socket: WebSocket, connection: Duplex, now: number) {
    this.#socket = socket;
    this.#connection = connection;
    this.#pingedAt = now;
    this.#windowFrom = now;
  }

  /**
   * Writes to the connection directly, because the library would frame the message again for each viewer. This is valid
   * because there is no compression.
   */
  send(frame: Buffer): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#connection.write(frame);
  }

  bufferedBytes(): number {
    return this.#connection.writableLength;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /** Counts a message. Returns how many messages came within ten seconds, including this message. */
  countMessage(now: number): number {
    this.#isAlive = true;
    if (now - this.#windowFrom >= rateWindowMs) {
      this.#windowFrom = now;
      this.#messages = 0;
    }
    return ++this.#messages;
  }

  /**
   * If a ping is due, pings the client, or terminates a client that sent nothing since the last ping. Returns whether a
   * ping was due.
   */
  ping(now: number): boolean {
    if (now - this.#pingedAt < pingEveryMs) return false;
    this.#pingedAt = now;
    if (this.#isAlive) this.#socket.ping();
    else this.terminate();
    this.#isAlive = false;
    return true;
  }
}
