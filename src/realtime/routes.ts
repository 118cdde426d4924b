import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Hono } from 'hono';
import type { ErrorCode } from '../domain/errors.ts';
import type { AppServices } from '../http/app-services.ts';
import { allowOnly } from '../http/methods.ts';
import { problem } from '../http/problem.ts';
import { checkHandshake, isWebSocketUpgrade, livePath } from './handshake.ts';
import { Hub, type HubOptions, type LiveRender } from './hub.ts';
import { limitedUpgrade } from './limited-upgrade.ts';
import { refuse } from './refusal.ts';
import { pageRender } from './render.ts';
import { type SocketOptions, Sockets } from './sockets.ts';
import type { CustomerTopic } from './topic.ts';
import type { Viewer } from './viewer.ts';

export interface LiveDeps
  extends Pick<AppServices, 'engine' | 'liveBus' | 'clock' | 'log' | 'settings' | 'limits'> {
  /** The topic `admin`; absent where there are no operators' pages. */
  readonly operators?: LiveAdmin;
}

/** What operators watch. */
export interface LiveAdmin {
  /** Lets a handshake's sender watch: returns how to ask whether it still may; undefined unless it is signed in. */
  admit(headers: IncomingMessage['headers']): Promise<SessionCheck | undefined>;
  /** Seats a viewer; returns how it leaves. */
  join(viewer: Viewer, stillMay: SessionCheck): () => void;
  /** Tells all to come back, and resolves when they are gone. */
  stop(): Promise<void>;
  readonly viewers: number;
}

export type SessionCheck = () => Promise<boolean>;

type Watched = CustomerTopic | { readonly kind: 'admin'; readonly stillMay: SessionCheck };

export interface LiveOptions extends HubOptions, SocketOptions {
  /** Viewers of this instance at most; whoever comes then is told to come back later, and polls. */
  readonly viewersMax: number;
  readonly render: LiveRender;
}

export interface Live {
  /** `GET /live` without an upgrade: 426. */
  readonly routes: Hono;
  /** Takes the WebSocket upgrades of a server; it goes on to answer everything else. */
  attach(server: Server): void;
  /** Takes no more viewers, tells all to come back (1012), a few at a time, and resolves when they are gone. */
  stop(): Promise<void>;
  readonly viewers: number;
}

/**
 * The live side of the pages: `GET /live?topic=packages`, `/live?topic=package:3`,
 * `/live?topic=order:<id>&proof=<signature>` or, for signed-in operators, `/live?topic=admin`, as a WebSocket. render.ts
 * describes its messages. Clients send none.
 */
export function createLive(deps: LiveDeps, options: Partial<LiveOptions> = {}): Live {
  const { clock, log, settings, limits, operators } = deps;
  const { viewersMax = 20_000, render = pageRender(settings.currency, clock) } = options;
  const hub = new Hub(deps, render, options);
  const seat = (viewer: Viewer, topic: Watched) => {
    if (topic.kind === 'admin') return operators?.join(viewer, topic.stillMay) ?? (() => {});
    const taken = hub.subscribe(topic, viewer);
    return () => hub.unsubscribe(taken);
  };
  const sockets = new Sockets(clock, log, seat, options);
  let isStopping = false;

  const admit = limitedUpgrade(limits, judge);

  function answer(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // From here on the socket is ours alone: without a listener, its errors would end the process.
    socket.on('error', destroy);
    admit(request, socket, head);
  }

  function judge(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const verdict = checkHandshake(request, settings);
    if (typeof verdict === 'string') refuse(socket, verdict);
    else if (isStopping || sockets.size >= viewersMax) refuse(socket, 'overloaded');
    else if (verdict.kind === 'admin') void answerOperator(request, socket, head);
    else void sockets.accept(request, socket, head, verdict);
  }

  async function answerOperator(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    try {
      const stillMay = await operators?.admit(request.headers);
      if (operators === undefined) refuse(socket, 'unknown_route');
      else if (stillMay === undefined) refuse(socket, 'unauthorized');
      else if (isStopping) refuse(socket, 'overloaded');
      else await sockets.accept(request, socket, head, { kind: 'admin', stillMay });
    } catch (error) {
      log.warn({ err: error }, 'An operator could not be let in to the live pages.');
      refuse(socket, 'store_unavailable');
    }
  }

  return {
    routes: new Hono()
      .get(livePath, (c) => problem(c, upgradeRequired, upgradeHeaders))
      .all(livePath, allowOnly('GET')),
    attach(server) {
      // Other protocols are asked for too (curl --http2 asks for h2c): those requests are answered as if they had
      // not, which is what HTTP wants (RFC 9110, section 7.8).
      Object.assign(server, { shouldUpgradeCallback: isWebSocketUpgrade });
      server.on('upgrade', answer);
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

function destroy(this: Duplex): void {
  this.destroy();
}

const upgradeRequired: ErrorCode = 'upgrade_required';
const upgradeHeaders = { headers: { Upgrade: 'websocket', Connection: 'Upgrade' } };
