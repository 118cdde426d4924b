import type { Order, Package, Packages, Purchase } from './api-types.ts';
import { PurchaseAbortedError, TicketError } from './errors.ts';
import type { SocketConstructor } from './live-socket.ts';
import { type OutcomeOptions, waitForOutcome } from './outcome.ts';
import { type Fetch, Requests } from './requests.ts';
import { type Clock, type Random, systemClock } from './timing.ts';

export interface TicketClientOptions {
  /** Default: the global `fetch`. */
  readonly fetch?: Fetch;
  /** Default: the global `WebSocket`. `null`: orders are only polled. */
  readonly WebSocket?: SocketConstructor | null;
  /** How often a request is repeated after a temporary failure. Default 6. */
  readonly retries?: number;
  /** How long an answer may take, in ms, besides what the server was asked to wait. Default 15,000. */
  readonly answerTimeoutMs?: number;
  /** Default: the machine's. For tests. */
  readonly clock?: Clock;
  /** Default: `Math.random`. For tests. */
  readonly random?: Random;
}

export interface CallOptions {
  /** Ends the call: it then throws the reason of the signal. What the server has begun goes on. */
  readonly signal?: AbortSignal;
}

export interface BuyOptions extends CallOptions {
  /**
   * One key is one order: with the same key and purchase, the same order comes back. Default: a new random key. Give one
   * that you have stored to be safe from a crash of your own program.
   */
  readonly idempotencyKey?: string;
  /** How long the server waits for the outcome before it answers, in seconds, 0 to 10. Default 10. */
  readonly waitSeconds?: number;
  /** The language of the mails about the order, such as `de`. Default: that of the browser, or English. */
  readonly language?: string;
}

export interface PackagesQuery {
  /** At most so many packages, 1 to 1,000. Default 1,000. */
  readonly limit?: number | undefined;
  /** `next` of the page before. Default: the first page. */
  readonly cursor?: string | undefined;
  /** Only flights whose name contains this text. */
  readonly flight?: string | undefined;
}

/** What it takes to see and cancel an order. */
export type OrderKey = Pick<Order, 'id' | 'email'>;

/** The longest time that the server waits for an outcome, and its default, in seconds. */
const waitSecondsMax = 10;

/**
 * Buys travel packages and follows orders to their outcome.
 *
 * Every call throws a `ProblemError` for a problem that the server answers, and a `NoAnswerError` without an answer, both
 * after retries where these are safe.
 */
export class TicketClient {
  readonly #origin: URL;
  readonly #requests: Requests;
  readonly #socket: SocketConstructor | undefined;
  readonly #clock: Clock;
  readonly #random: Random;

  /**
   * @param address of the server, such as `https://tickets.example`; in a page of the server `location.origin`.
   * @throws TypeError for an address with a path: the paths of the API and of the sockets begin at the root.
   */
  constructor(address: string | URL, options: TicketClientOptions = {}) {
    const { retries = 6, answerTimeoutMs = 15_000, clock = systemClock, random = Math.random } = options;
    const { fetch: ask = globalThis.fetch } = options;
    this.#origin = new URL(address);
    if (this.#origin.pathname !== '/')
      throw new TypeError(`the address of the server must have no path: ${this.#origin.pathname}`);
    this.#requests = new Requests({
      origin: this.#origin,
      fetch: ask,
      clock,
      random,
      retries,
      answerTimeoutMs,
    });
    this.#socket = options.WebSocket === undefined ? globalSocket() : (options.WebSocket ?? undefined);
    this.#clock = clock;
    this.#random = random;
  }

  /** A page of the listed packages, by id. */
  async packages(query: PackagesQuery = {}, { signal }: CallOptions = {}): Promise<Packages> {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) parameters.set(name, String(value));
    }
    const { value } = await this.#requests.send(`/api/packages?${parameters}`, { signal });
    return value as Packages;
  }

  /** All listed packages, by id, read page by page. */
  async *allPackages(
    query: Omit<PackagesQuery, 'cursor'> = {},
    options: CallOptions = {},
  ): AsyncGenerator<Package> {
    let cursor: string | undefined;
    do {
      const page = await this.packages({ ...query, cursor }, options);
      yield* page.packages;
      cursor = page.next;
    } while (cursor !== undefined);
  }

  /** @throws ProblemError `unknown_package` */
  async package(id: number, { signal }: CallOptions = {}): Promise<Package> {
    const { value } = await this.#requests.send(`/api/packages/${id}`, { signal });
    return value as Package;
  }

  /**
   * Buys a package. Returns the order: `confirmed`, or one that will get an outcome, see {@link waitForOutcome}. A `payable`
   * one is confirmed once its buyer has paid at its `paymentUrl`.
   * @throws ProblemError when there is no place, or when the order has failed, which is then its `order`;
   * PurchaseAbortedError when the signal aborts later than the request was sent, and otherwise the signal's reason. Every
   * error of the client has the purchase's `idempotencyKey`.
   */
  async buy(purchase: Purchase, options: BuyOptions = {}): Promise<Order> {
    const { idempotencyKey = randomKey(), waitSeconds = waitSecondsMax, language, signal } = options;
    signal?.throwIfAborted();
    try {
      const { value } = await this.#requests.send('/api/orders', {
        method: 'POST',
        headers: {
          'Idempotency-Key': idempotencyKey,
          Prefer: preferenceOf(waitSeconds),
          ...(language === undefined ? {} : { 'Accept-Language': language }),
        },
        body: purchase,
        serverWaitMs: 1000 * waitSeconds,
        signal,
      });
      return value as Order;
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw new PurchaseAbortedError(idempotencyKey, error);
      if (error instanceof TicketError) error.idempotencyKey = idempotencyKey;
      throw error;
    }
  }

  /** @throws ProblemError `unknown_order`, also when the email is another. */
  async order({ id, email }: OrderKey, { signal }: CallOptions = {}): Promise<Order> {
    const { value } = await this.#requests.send(pathOf({ id, email }), { signal });
    return value as Order;
  }

  /**
   * Cancels a booking, leaves the queue, or gives a payable order up. Returns the order: `cancelled`, `withdrawn` or
   * `failed`; `cancelling` or `compensating` if that takes longer.
   * @throws ProblemError `in_progress` while it is being booked, `not_cancellable` when there is nothing to cancel.
   */
  async cancel({ id, email }: OrderKey, { signal }: CallOptions = {}): Promise<Order> {
    const { value } = await this.#requests.send(`/api/orders/${encodeURIComponent(id)}/cancel`, {
      method: 'POST',
      body: { email },
      serverWaitMs: 1000 * waitSecondsMax,
      signal,
    });
    return value as Order;
  }

  /**
   * Follows an order to its end and returns it: `confirmed`, `failed`, `rejected`, `withdrawn` or `cancelled`. The
   * order is followed live over a WebSocket, which is opened again when it breaks. Without one it is polled. Outages do
   * not end the wait, nor, once the order was read, does anything that a proxy answers.
   * @throws ProblemError `unknown_order`; OutcomeTimeoutError after `timeoutMs`; the reason of the signal.
   */
  waitForOutcome(order: OrderKey, options: OutcomeOptions = {}): Promise<Order> {
    return waitForOutcome(
      {
        lookUp: async (signal) => {
          const { value, headers } = await this.#requests.send(pathOf(order), { signal, retries: 0 });
          return { order: value as Order, socketUrl: this.#socketUrl(headers.get('link')) };
        },
        socket: this.#socket,
        clock: this.#clock,
        random: this.#random,
      },
      options,
    );
  }

  /** The address in the `Link` header at which the order is watched; undefined for servers that do not send one. */
  #socketUrl(link: string | null): string | undefined {
    const address = /<([^>]*)>\s*;\s*rel="?monitor"?/.exec(link ?? '')?.[1];
    if (address === undefined) return undefined;
    const url = new URL(address, this.#origin);
    url.protocol = this.#origin.protocol === 'https:' ? 'wss:' : 'ws:';
    return url.href;
  }
}

function pathOf({ id, email }: OrderKey): string {
  return `/api/orders/${encodeURIComponent(id)}?email=${encodeURIComponent(email)}`;
}

function preferenceOf(waitSeconds: number): string {
  return waitSeconds === 0 ? 'respond-async' : `wait=${Math.ceil(waitSeconds)}`;
}

/** A key that nobody guesses. `crypto.randomUUID` is missing in pages without TLS. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function globalSocket(): SocketConstructor | undefined {
  return globalThis.WebSocket;
}
