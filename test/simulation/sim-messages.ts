import { type Messages, MessagesUnavailableError, NoAnswerError } from '../../src/cluster/messages.ts';
import { IncomingRequests } from '../../src/cluster/redis/incoming-requests.ts';
import { messagesIn, readAnswer, writeAnswer, writeRequest } from '../../src/cluster/redis/protocol.ts';
import { RedisTime } from '../../src/cluster/redis/redis-time.ts';
import { decodeRequest } from '../../src/engine/actor/routing/protocol.ts';
import type { Json } from '../../src/lib/json.ts';
import type { Log } from '../../src/observability/log.ts';
import type { Network, SimulatedNode } from './network.ts';
import type { World } from './world.ts';

const handlingMax = 10_000;

/** Settles a request that waits for its answer. */
interface PendingRequest {
  readonly resolve: (answer: Json) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Messages and members as one process sees them. Runs the production message format and receiver over the simulated
 * network.
 */
export function simMessages(world: World, network: Network, node: SimulatedNode, log: Log): Messages {
  const { scheduler } = world;
  const { host } = node;
  // All processes read the transport's clock, whatever times their own clocks show.
  const time = new RedisTime({
    now: () => scheduler.now,
    monotonic: () => scheduler.now,
    sleep: () => Promise.resolve(),
  });
  const requests = new IncomingRequests({
    time,
    log,
    handlingMax,
    reply: (to, answer) => send(to, 'answer', answer.id, writeAnswer(answer)),
  });
  const pending = new Map<string, PendingRequest>();
  /** Requests that arrived before a handler was set. */
  const waiting: string[] = [];
  const life = network.nextLife();
  let sent = 0;

  function send(to: string, what: 'request' | 'answer', id: string, text: string): void {
    network.send(host, to, `${what} ${id} to ${to}`, (receiver) => receiver.receive(what, text));
  }

  node.receive = (what, text) => {
    if (what === 'answer') for (const message of messagesIn(text)) takeAnswer(message);
    else if (requests.isOpen()) requests.take(text);
    else waiting.push(text);
  };

  /** All processes speak the same version, so each understands what another one's router sends. */
  function checkUnderstood(body: Json, from: string): void {
    const request = body as { kind?: string; packageIds?: readonly number[] } | null;
    // The contract tests send values that no router sends.
    if (typeof request?.kind !== 'string') return;
    world.require(
      decodeRequest(body) !== undefined,
      'bug',
      () =>
        `${host.name} does not understand ${request.kind} of ${request.packageIds?.length ?? 0} packages, from ${from}`,
    );
  }

  function takeAnswer(message: unknown): void {
    const answer = readAnswer(message);
    const { resolve, reject } = pending.get(answer.id ?? '') ?? {};
    if ('body' in answer) resolve?.(answer.body);
    else reject?.(new NoAnswerError('the receiver gave none'));
  }

  function ask(to: string, body: Json, timeoutMs: number): Promise<Json> {
    if (node.isClosed || network.isAway(host)) {
      return Promise.reject(new MessagesUnavailableError('the transport does not answer'));
    }
    const id = `${life}-${++sent}`;
    const answer = new Promise<Json>((resolve, reject) => pending.set(id, { resolve, reject }));
    const late = () => pending.get(id)?.reject(new NoAnswerError(`${to} did not answer`));
    const cancel = scheduler.after(timeoutMs, `no answer to ${id}`, late, host);
    const until = time.now() + timeoutMs;
    send(to, 'request', id, writeRequest({ id, from: host.name, until, body }));
    return answer.finally(() => {
      cancel();
      pending.delete(id);
    });
  }

  return {
    members: () => node.members,
    onMembers(listener) {
      const own = (members: readonly string[]) => listener(members);
      node.listeners.add(own);
      return () => node.listeners.delete(own);
    },
    ask,
    serve(handler) {
      requests.handler = (body, from) => {
        checkUnderstood(body, from);
        return handler(body, from);
      };
      for (const text of waiting.splice(0)) requests.take(text);
    },
    async join() {
      node.isJoined = true;
      network.refreshMembers(host.name);
      network.membersChanged(false);
    },
    async leave() {
      node.isJoined = false;
      network.refreshMembers(host.name);
      network.membersChanged(true);
    },
    get available() {
      return !node.isClosed && !network.isAway(host);
    },
    async close() {
      if (node.isClosed) return;
      node.isClosed = true;
      network.membersChanged(true);
      for (const { reject } of pending.values()) reject(new MessagesUnavailableError('messages are closed'));
    },
  };
}
