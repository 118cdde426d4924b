import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { simulatedSuppliers } from '../../src/suppliers/simulated-suppliers.ts';
import type {
  FlightRequest,
  HotelRequest,
  Reservation,
  SupplierAnswer,
  SupplierClient,
  SupplierKind,
} from '../../src/suppliers/suppliers.ts';
import { memoryLedger } from './memory-ledger.ts';
import { readWholeLedger } from './read-whole-ledger.ts';

/** A call that the supplier received. */
export interface SupplierCall {
  /** The number of the call among all calls, from 1. */
  readonly index: number;
  readonly kind: SupplierKind;
  readonly operation: 'reserve' | 'cancel' | 'ledger';
  /** The Idempotency-Key. Empty for reads of the ledger. */
  readonly key: string;
  /** The number of the call among the calls with the same kind, operation and key, from 1. */
  readonly nth: number;
  /** The body of a reservation request. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: IncomingMessage['headers'];
}

/** A fault of one call: its effect on the ledger and its answer. */
export interface SupplierFault {
  /**
   * `none`: the call has no effect. `refuse`: there is never a seat or room. `afterMs`: the call takes effect later,
   * even after a cancel. Absent: the call takes effect immediately.
   */
  readonly effect?: 'none' | 'refuse' | { readonly afterMs: number };
  /**
   * Replaces the true answer. Without `answer`, a call hangs if it has no effect or takes effect later. `refused`: the
   * answer says that there is no seat or room, whatever the ledger says.
   */
  readonly answer?:
    | ('refused' | 'hang' | 'cut' | 'garbage' | 'html' | 'numberless' | 'huge')
    | { readonly status: number };
  /** Delays the answer. */
  readonly answerAfterMs?: number;
  /** Delays the answer until this promise is fulfilled. */
  readonly answerAfter?: Promise<unknown>;
}

/** Common faults by name. */
export const supplierFaults = {
  /** The call has no effect and gets no answer. */
  hang: { effect: 'none', answer: 'hang' },
  /** The call takes effect but gets no answer. */
  doneWithoutReply: { answer: 'hang' },
  /** The call has no effect and fails. */
  error500: { effect: 'none', answer: { status: 500 } },
  doneBut500: { answer: { status: 500 } },
  /** The call takes effect, and the connection breaks in the middle of the answer. */
  cutMidBody: { answer: 'cut' },
  refuse: { effect: 'refuse' },
  /** Refuses without an effect, although another request with the same key has booked. */
  contradict: { effect: 'none', answer: 'refused' },
  garbage: { answer: 'garbage' },
  wrongContentType: { answer: 'html' },
  withoutNumber: { answer: 'numberless' },
  oversized: { answer: 'huge' },
  /** The call takes effect immediately, but is answered after the caller's timeout. */
  answerLate: (answerAfterMs: number): SupplierFault => ({ answerAfterMs }),
  /** The call takes effect after the caller has given up, maybe after the caller's cancel. */
  workLate: (afterMs: number): SupplierFault => ({ effect: { afterMs }, answer: 'hang' }),
} as const satisfies Record<string, SupplierFault | ((ms: number) => SupplierFault)>;

export interface FaultySupplierOptions {
  /** Returns the fault of a call, or undefined for none. Called once for every call. */
  readonly fault?: (call: SupplierCall) => SupplierFault | undefined;
  /** If set, calls without this bearer token get 401. */
  readonly token?: string;
}

export interface FaultySupplier {
  /** The value for `SUPPLIERS_URL`. */
  readonly url: string;
  /** All reservations, including cancelled ones. */
  ledger(): Promise<Record<SupplierKind, readonly Reservation[]>>;
  /** All calls so far, in the order they came. */
  readonly calls: readonly SupplierCall[];
  /** Closes all connections and drops delayed work. */
  stop(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body?: object;
}

/** Starts a supplier over HTTP with a real ledger. It refuses nothing by itself; `fault` selects all its faults. */
export async function startFaultySupplier(options: FaultySupplierOptions = {}): Promise<FaultySupplier> {
  const calls: SupplierCall[] = [];
  const counts = new Map<string, number>();
  const stopping = new AbortController();
  const { willing, unwilling } = simulations();

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await readCall(request);
    if (call === undefined) return send(response, problemReply(404, 'unknown_route'));
    if (options.token !== undefined && request.headers.authorization !== `Bearer ${options.token}`) {
      return send(response, problemReply(401, 'unauthorized'));
    }
    calls.push(call);
    const fault = options.fault?.(call) ?? {};
    const reply = await take(call, fault);
    if (fault.answerAfterMs !== undefined) await sleep(fault.answerAfterMs, undefined, stopping);
    await fault.answerAfter;
    answer(response, call, reply, fault.answer ?? (reply === undefined ? 'hang' : undefined));
  }

  async function readCall(request: IncomingMessage): Promise<SupplierCall | undefined> {
    const { pathname } = new URL(request.url ?? '/', 'http://supplier');
    const path = /^\/api\/suppliers\/(?<kind>flights|hotels)\/reservations(?:\/(?<key>[^/]+))?$/.exec(
      pathname,
    );
    const kind = path?.groups?.kind as SupplierKind | undefined;
    const operation = operations[`${request.method}${path?.groups?.key === undefined ? '' : ' key'}`];
    if (kind === undefined || operation === undefined) return undefined;
    const body = operation === 'reserve' ? JSON.parse(await text(request)) : {};
    const key =
      operation === 'reserve'
        ? String(request.headers['idempotency-key'])
        : decodeURIComponent(path?.groups?.key ?? '');
    const name = [kind, operation, key].join(' ');
    const nth = (counts.get(name) ?? 0) + 1;
    counts.set(name, nth);
    return { index: calls.length + 1, kind, operation, key, nth, body, headers: request.headers };
  }

  /** Applies a call. Returns undefined if there is no answer yet. */
  async function take(call: SupplierCall, { effect }: SupplierFault): Promise<Reply | undefined> {
    if (effect === 'none') return undefined;
    if (effect === 'refuse') return callSupplier(unwilling, call);
    if (effect === undefined) return callSupplier(willing, call);
    void sleep(effect.afterMs, undefined, stopping).then(
      () => callSupplier(willing, call),
      () => undefined,
    );
    return undefined;
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/suppliers`,
    calls,
    ledger: async () => ({
      flights: await readWholeLedger(willing, 'flights'),
      hotels: await readWholeLedger(willing, 'hotels'),
    }),
    async stop() {
      stopping.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const operations: Readonly<Record<string, SupplierCall['operation']>> = {
  POST: 'reserve',
  'DELETE key': 'cancel',
  GET: 'ledger',
};

/** Two supplier simulations over one ledger, so that a decision of one simulation binds the other. */
function simulations() {
  const base = { ledger: memoryLedger(), random: systemRandom(), clock: systemClock, latencyMs: 0 };
  return {
    willing: simulatedSuppliers({ ...base, flightFailureRate: 0, hotelFailureRate: 0 }),
    unwilling: simulatedSuppliers({ ...base, flightFailureRate: 1, hotelFailureRate: 1 }),
  };
}

async function callSupplier(
  client: SupplierClient,
  { kind, operation, key, body }: SupplierCall,
): Promise<Reply> {
  if (operation === 'cancel') {
    await client.cancel(kind, key);
    return { status: 204 };
  }
  if (operation === 'ledger')
    return { status: 200, body: { reservations: await readWholeLedger(client, kind) } };
  const request = { ...body, key };
  return kind === 'flights'
    ? reserved('ticketNumber', await client.reserveFlight(request as FlightRequest))
    : reserved('reservationNumber', await client.reserveHotel(request as HotelRequest));
}

function reserved(member: string, answer: SupplierAnswer): Reply {
  if (answer.kind === 'reserved') return { status: 201, body: { [member]: answer.number } };
  return problemReply(answer.code === 'invalid_ticket' ? 422 : 409, answer.code);
}

function problemReply(status: number, code: string): Reply {
  return { status, body: { type: 'about:blank', title: code, status, code } };
}

function answer(
  response: ServerResponse,
  call: SupplierCall,
  reply: Reply | undefined,
  manner: SupplierFault['answer'],
): void {
  if (manner === 'hang') return;
  if (typeof manner === 'object') return send(response, problemReply(manner.status, 'internal'));
  const { status, body } = reply ?? problemReply(500, 'internal');
  const json = body === undefined ? '' : JSON.stringify(body);
  switch (manner) {
    case undefined:
      return send(response, reply ?? problemReply(500, 'internal'));
    case 'refused':
      return send(response, problemReply(409, `${call.kind.slice(0, -1)}_unavailable`));
    case 'cut':
      return cut(response, status, json);
    case 'garbage':
      return sendText(response, status, json.slice(0, -2));
    case 'html':
      return sendText(response, status, json, 'text/html');
    case 'numberless':
      return send(response, { status: 201, body: {} });
    case 'huge': {
      const member = call.kind === 'flights' ? 'ticketNumber' : 'reservationNumber';
      return send(response, { status: 201, body: { [member]: 'F1', padding: 'x'.repeat(2 ** 20) } });
    }
  }
}

function send(response: ServerResponse, { status, body }: Reply): void {
  if (body === undefined) response.writeHead(status).end();
  else
    sendText(response, status, JSON.stringify(body), status < 400 ? undefined : 'application/problem+json');
}

function sendText(response: ServerResponse, status: number, body: string, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

/** Announces the whole body, but sends only half of it. */
function cut(response: ServerResponse, status: number, body: string): void {
  if (body === '') return void response.destroy();
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  response.write(body.slice(0, body.length / 2), () => response.destroy());
}
