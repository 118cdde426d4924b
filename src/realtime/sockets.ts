import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { createNodeWebSocket } from '@hono/node-ws';
import { Hono } from 'hono';
import type { WebSocket } from 'ws';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../observability/log.ts';
import { livePath } from './handshake.ts';
import { refuse } from './refusal.ts';
import { SocketViewer } from './socket-viewer.ts';
import { Interval } from './ticker.ts';
import { closeCodes, type Viewer } from './viewer.ts';

export interface SocketOptions {
  /** The largest message that a client may send, in bytes: pages send nothing at all. */
  readonly messageBytesMax: number;
  /** Messages and pings that a client may send in ten seconds. */
  readonly messagesMax: number;
  /** A connection that does not answer a ping before the next one is cut. */
  readonly pingEveryMs: number;
  /** How long a client may take to answer our goodbye. */
  readonly closeTimeoutMs: number;
}

const defaults: SocketOptions = {
  messageBytesMax: 64 * 1024,
  messagesMax: 64,
  pingEveryMs: 30_000,
  closeTimeoutMs: 2000,
};

/** How many sockets are pinged before the event loop gets its turn. */
const pingSliceSockets = 256;

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>;

/** What is asked for, and over which connection. */
interface Asked<Subject> {
  readonly subject: Subject;
  readonly connection: Duplex;
}

/** Told of a connection that is open; returns whom to tell of its end. */
export type OnOpen<Subject> = (viewer: Viewer, subject: Subject) => () => void;

/**
 * WebSockets over `@hono/node-ws`, which nothing else knows of. It is given only what has passed every check that
 * it, and `ws` beneath it, would fail on: its own `upgrade` listener is asynchronous and unguarded, it keeps what it
 * knows of a connection whose handshake fails, and its routing sees nothing but the one path.
 */
export class Sockets<Subject> {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #options: SocketOptions;
  readonly #onOpen: OnOpen<Subject>;
  readonly #open = new Map<WebSocket, SocketViewer>();
  readonly #asked = new WeakMap<IncomingMessage, Asked<Subject>>();
  readonly #pings: Interval;
  readonly #upgrade: UpgradeListener;
  readonly #heard: (this: WebSocket) => void;
  readonly #closed: (this: WebSocket) => void;

  constructor(clock: Clock, log: Log, onOpen: OnOpen<Subject>, options: Partial<SocketOptions> = {}) {
    this.#clock = clock;
    this.#log = log;
    this.#onOpen = onOpen;
    this.#options = { ...defaults, ...options };
    this.#upgrade = this.#nodeWebSocket();
    const hear = (socket: WebSocket) => this.#hear(socket);
    const end = (socket: WebSocket) => this.#end(socket);
    this.#heard = function () {
      hear(this);
    };
    this.#closed = function () {
      end(this);
    };
    this.#pings = new Interval(
      clock,
      1000,
      () => this.#open.size > 0,
      () => this.#ping(),
    );
  }

  get size(): number {
    return this.#open.size;
  }

  /** Completes a handshake that was checked before. Never throws. */
  async accept(request: IncomingMessage, socket: Duplex, head: Buffer, subject: Subject): Promise<void> {
    this.#asked.set(request, { subject, connection: socket });
    try {
      await this.#upgrade(request, socket, head);
    } catch (error) {
      this.#log.warn({ err: error }, 'A WebSocket handshake failed.');
      refuse(socket, 'bad_request');
    }
  }

  stop(): void {
    this.#pings.stop();
  }

  /** The library's `upgrade` listener, caught instead of attached to a server. */
  #nodeWebSocket(): UpgradeListener {
    const app = new Hono();
    const { wss, injectWebSocket, upgradeWebSocket } = createNodeWebSocket({ app });
    Object.assign(wss.options, {
      maxPayload: this.#options.messageBytesMax,
      maxFragments: 64,
      maxBufferedChunks: 4096,
      closeTimeout: this.#options.closeTimeoutMs,
      perMessageDeflate: false,
    });
    app.get(
      livePath,
      upgradeWebSocket((c) => {
        const asked = this.#asked.get(c.env.incoming);
        return {
          onOpen: (_event, { raw }) => {
            if (raw !== undefined && asked !== undefined) this.#opened(raw, asked);
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

  #opened(socket: WebSocket, { subject, connection }: Asked<Subject>): void {
    // node-ws listens with closures that keep the whole request alive, half of what an idle connection costs. They
    // are added right after this call; nothing can arrive before the microtask that takes them away.
    const own = socket.listeners('close');
    queueMicrotask(() => {
      for (const event of ['message', 'error'] as const) socket.removeAllListeners(event);
      for (const listener of socket.listeners('close')) {
        if (!own.includes(listener)) socket.off('close', listener as () => void);
      }
      this.#listen(socket);
    });
    const viewer = new SocketViewer(socket, connection, this.#clock.now());
    this.#open.set(socket, viewer);
    // What it is told first leaves in one piece.
    connection.cork();
    try {
      viewer.onEnd = this.#onOpen(viewer, subject);
    } finally {
      connection.uncork();
    }
    this.#pings.wake();
  }

  /** The same three functions for every socket. */
  #listen(socket: WebSocket): void {
    socket.on('close', this.#closed);
    socket.on('error', ignore);
    for (const event of ['message', 'ping', 'pong'] as const) socket.on(event, this.#heard);
  }

  /** What clients say means nothing here, but a flood of it is refused. */
  #hear(socket: WebSocket): void {
    const heard = this.#open.get(socket)?.hear(this.#clock.now()) ?? 0;
    if (heard > 2 * this.#options.messagesMax) socket.terminate();
    else if (heard > this.#options.messagesMax) socket.close(closeCodes.refused, 'too many messages');
  }

  #end(socket: WebSocket): void {
    const viewer = this.#open.get(socket);
    this.#open.delete(socket);
    viewer?.onEnd();
  }

  async #ping(): Promise<void> {
    const now = this.#clock.now();
    let pinged = 0;
    for (const viewer of this.#open.values()) {
      if (!viewer.ping(now, this.#options.pingEveryMs)) continue;
      if (++pinged % pingSliceSockets === 0) await setImmediate();
    }
  }
}

/** `ws` has answered a broken frame with its close code already, and tells of the end by `close`. */
function ignore(): void {}
