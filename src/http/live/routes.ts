import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Hono } from 'hono';
import type { ErrorCode } from '../../domain/errors.ts';
import type { AppDeps } from '../deps.ts';
import { allowOnly } from '../methods.ts';
import { problem } from '../problem.ts';
import { checkHandshake, isWebSocketUpgrade, livePath } from './handshake.ts';
import { Hub, type HubOptions, type LiveRender } from './hub.ts';
import { refuse } from './refusal.ts';
import { pageRender } from './render.ts';
import { type SocketOptions, Sockets } from './socket.ts';
import type { Topic } from './topic.ts';
import type { Viewer } from './viewer.ts';

export type LiveDeps = Pick<AppDeps, 'engine' | 'liveBus' | 'clock' | 'log' | 'settings'>;

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
 * The live side of the pages: `GET /live?topic=packages`, `/live?topic=package:3` or
 * `/live?topic=order:<id>&proof=<orderProof>` as a WebSocket. What is said there is described in
 * pages/fragments/index.ts; clients have nothing to say.
 */
export function createLive(deps: LiveDeps, options: Partial<LiveOptions> = {}): Live {
  const { clock, log, settings } = deps;
  const { viewersMax = 20_000, render = pageRender(settings.currency, clock) } = options;
  const hub = new Hub(deps, render, options);
  const seat = (viewer: Viewer, topic: Topic) => {
    const taken = hub.join(topic, viewer);
    return () => hub.leave(taken);
  };
  const sockets = new Sockets(clock, log, seat, options);
  let isStopping = false;

  function answer(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // From here on the socket is ours alone: without a listener, its errors would end the process.
    socket.on('error', destroy);
    const verdict = checkHandshake(request, settings);
    if (typeof verdict === 'string') refuse(socket, verdict);
    else if (isStopping || sockets.size >= viewersMax) refuse(socket, 'overloaded');
    else void sockets.accept(request, socket, head, verdict);
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
      await hub.stop();
      sockets.stop();
    },
    get viewers() {
      return hub.viewers;
    },
  };
}

function destroy(this: Duplex): void {
  this.destroy();
}

const upgradeRequired: ErrorCode = 'upgrade_required';
const upgradeHeaders = { headers: { Upgrade: 'websocket', Connection: 'Upgrade' } };
