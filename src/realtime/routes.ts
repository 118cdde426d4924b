import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Hono } from 'hono';
import type { AppServices } from '../http/app-services.ts';
import { allowOnly } from '../http/methods.ts';
import { problem } from '../http/problem.ts';
import type { Viewer } from './fanout.ts';
import { type AdminTopic, checkHandshake, isWebSocketUpgrade, livePath } from './handshake.ts';
import { Hub, type HubOptions, type LiveRender, liveRender } from './hub.ts';
import { Sockets } from './sockets.ts';
import { limitedUpgrade, refuse } from './upgrade.ts';

export interface LiveDeps
  extends Pick<AppServices, 'engine' | 'liveBus' | 'clock' | 'log' | 'settings' | 'limits'> {
  /** The live updates of topic `admin`. Undefined without operators' pages. */
  readonly operators?: LiveAdmin;
}

/** The live updates of the operators' pages. */
export interface LiveAdmin {
  /**
   * Returns a check of the sender's session, to be repeated while the sender watches. Undefined if the sender is not
   * signed in.
   */
  admit(headers: IncomingMessage['headers']): Promise<SessionCheck | undefined>;
  /** Adds a viewer, who also sees the rows of these packages. Returns a function that removes the viewer. */
  join(viewer: Viewer, isSignedIn: SessionCheck, packageIds: readonly number[]): () => void;
  /** Closes all connections so that the pages reconnect. Resolves when all connections are closed. */
  stop(): Promise<void>;
  readonly viewers: number;
}

/** Whether the session is still valid. */
export type SessionCheck = () => Promise<boolean>;

export interface LiveOptions extends HubOptions {
  /** The most viewers of this instance. Further viewers are refused with a time to retry, and their pages poll. */
  readonly viewersMax: number;
  readonly render: LiveRender;
}

export interface Live {
  /** Answers `GET /live` with 426 if the request has no upgrade. */
  readonly routes: Hono;
  /** Handles the WebSocket upgrades of a server. The server answers all other requests. */
  attach(server: Server): void;
  /**
   * Refuses new viewers, and closes all connections with 1012, a few at a time. Resolves when all connections are
   * closed.
   */
  stop(): Promise<void>;
  readonly viewers: number;
}

/**
 * The live updates of the pages, over a WebSocket: `GET /live?topic=packages`, `/live?topic=packages:1.2.3`, `/live?topic=package:3`,
 * `/live?topic=order:<id>&proof=<signature>` or, for signed-in operators, `/live?topic=admin`. Fragments are in English, or
 * with `&lang=de` in German; with `&format=json` there is JSON instead. `fanout.ts` describes the messages. Clients send no
 * messages.
 */
export function createLive(deps: LiveDeps, options: Partial<LiveOptions> = {}): Live {
  const { clock, log, settings, limits, operators } = deps;
  const { viewersMax = 20_000, render = liveRender(settings.currency, clock) } = options;
  const hub = new Hub(deps, render, options);
  const sockets = new Sockets(clock, log);
  let isStopping = false;

  const accept = limitedUpgrade(limits, (request, socket, head) => {
    const topic = checkHandshake(request, settings);
    if (typeof topic === 'string') refuse(socket, topic);
    else if (isStopping || sockets.size >= viewersMax) refuse(socket, 'overloaded');
    else if (topic.kind === 'admin') void acceptOperator(topic, request, socket, head);
    else if (!hub.hasRoomFor(topic)) refuse(socket, 'overloaded');
    else void sockets.accept(request, socket, head, (viewer) => hub.subscribe(topic, viewer));
  });

  async function acceptOperator(
    { ids }: AdminTopic,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    try {
      const isSignedIn = await operators?.admit(request.headers);
      if (operators === undefined) refuse(socket, 'unknown_route');
      else if (isSignedIn === undefined) refuse(socket, 'unauthorized');
      else if (isStopping) refuse(socket, 'overloaded');
      else await sockets.accept(request, socket, head, (viewer) => operators.join(viewer, isSignedIn, ids));
    } catch (err) {
      log.warn({ err }, 'An operator could not be let in to the live pages.');
      refuse(socket, 'store_unavailable');
    }
  }

  return {
    routes: new Hono()
      .get(livePath, (c) =>
        problem(c, 'upgrade_required', { headers: { Upgrade: 'websocket', Connection: 'Upgrade' } }),
      )
      .all(livePath, allowOnly('GET')),
    attach(server) {
      // A request for another protocol (curl --http2 asks for h2c) is answered as if it had not asked for an upgrade
      // (RFC 9110, section 7.8).
      Object.assign(server, { shouldUpgradeCallback: isWebSocketUpgrade });
      server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        // Node has removed its own error listener. Without this listener an error of the socket would end the process.
        socket.on('error', destroy);
        accept(request, socket, head);
      });
    },
    async stop() {
      isStopping = true;
      await Promise.all([hub.stop(), operators?.stop()]);
      sockets.stop();
    },
    get viewers() {
      return hub.viewers + (operators?.viewers ?? 0);
    },
  };
}

/** All sockets share this function, because a closure for each socket would cost memory. */
function destroy(this: Duplex): void {
  this.destroy();
}
