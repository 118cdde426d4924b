import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Prng } from '../simulation/prng.ts';
import type { EventEntry, EventTreatment } from './history.ts';

export interface EventRelayOptions {
  readonly prng: Prng;
  /** The clients' clock. */
  readonly now: () => number;
  readonly write: (entry: EventEntry) => void;
}

export interface EventRelay extends AsyncDisposable {
  /** Where the payment provider sends its events. */
  readonly url: string;
  /** The origins of the instances. Without one, all events are lost. */
  origins: readonly string[];
  /** From now on all events are passed on as they are. */
  heal(): void;
  /** Ends all deliveries. Then nothing more is written. A second call waits for the first. */
  end(): Promise<void>;
}

/** The share of each treatment. All other events are passed on as they are. */
const treatments: readonly (readonly [EventTreatment, number])[] = [
  ['lost', 0.12],
  ['repeated', 0.08],
  ['late', 0.08],
  ['forged', 0.05],
];
const lateMs = { least: 500, most: 15_000 } as const;
const answerTimeoutMs = 5_000;
const path = '/api/payments/events';

/**
 * Stands between the payment provider and the instances. It accepts each event, then passes it on to some instance, or
 * loses it, repeats it at other instances, delays it, or sends a forged one instead. It never repeats an event because of
 * the answer, so an instance that is away has missed it.
 */
export async function startEventRelay({ prng, now, write }: EventRelayOptions): Promise<EventRelay> {
  const ending = new AbortController();
  const deliveries = new Set<Promise<void>>();

  let isHealed = false;
  function treatmentOf(): EventTreatment {
    if (isHealed) return 'passed';
    let draw = prng.fraction();
    for (const [treatment, share] of treatments) {
      if (draw < share) return treatment;
      draw -= share;
    }
    return 'passed';
  }

  async function deliver(treatment: EventTreatment, body: string, headers: EventHeaders): Promise<void> {
    const orderId = keyIn(body);
    if (treatment === 'lost' || relay.origins.length === 0)
      return write({ kind: 'event', treatment: 'lost', orderId, origin: '', sentAt: now(), endedAt: now() });
    if (treatment === 'late')
      await sleep(prng.whole(lateMs.least, lateMs.most), undefined, { signal: ending.signal });
    const sent = treatment === 'forged' ? forged(body) : body;
    for (let copy = 0; copy < (treatment === 'repeated' ? 3 : 1); copy++) {
      const origin = prng.pick(relay.origins);
      const sentAt = now();
      const answer = await post(origin, sent, headers);
      if (ending.signal.aborted) return;
      write({ kind: 'event', treatment, orderId, origin, sentAt, endedAt: now(), ...answer });
    }
  }

  async function post(origin: string, body: string, headers: EventHeaders): Promise<Answer> {
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(answerTimeoutMs)]);
    try {
      const answer = await fetch(origin + path, { method: 'POST', headers, body, signal });
      const said = await answer.text();
      const { code }: { readonly code?: string } = said === '' ? {} : JSON.parse(said);
      return { status: answer.status, ...(code === undefined ? {} : { code }) };
    } catch (error) {
      return { error: error instanceof Error ? error.name : String(error) };
    }
  }

  const server = createServer(async (request, response) => {
    const body = await text(request).catch(() => undefined);
    response.writeHead(204).end();
    if (body === undefined) return;
    const delivery = deliver(treatmentOf(), body, signatureIn(request.headers)).catch(() => {});
    deliveries.add(delivery);
    void delivery.finally(() => deliveries.delete(delivery));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  let ended: Promise<unknown> | undefined;
  async function end(): Promise<void> {
    if (ended === undefined) {
      ending.abort();
      ended = Promise.all([once(server, 'close'), ...deliveries]);
      server.close();
      server.closeAllConnections();
    }
    await ended;
  }
  const relay: EventRelay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    origins: [],
    heal() {
      isHealed = true;
    },
    end,
    [Symbol.asyncDispose]: end,
  };
  return relay;
}

type Answer = Pick<EventEntry, 'status' | 'code' | 'error'>;
type EventHeaders = Readonly<Record<string, string>>;

/** The headers that belong to an event. */
function signatureIn(headers: IncomingHttpHeaders): EventHeaders {
  const names = ['content-type', 'webhook-id', 'webhook-timestamp', 'webhook-signature'];
  return Object.fromEntries(names.map((name) => [name, String(headers[name] ?? '')]));
}

/** The event with another content under the same signature. */
function forged(body: string): string {
  const event = JSON.parse(body) as { readonly data: object };
  return JSON.stringify({
    ...event,
    type: 'payment.paid',
    data: { ...event.data, status: 'paid', amount: 1 },
  });
}

/** The payment that an event is about, which has the id of its order. */
function keyIn(body: string): string {
  return (JSON.parse(body) as { readonly data: { readonly key: string } }).data.key;
}
