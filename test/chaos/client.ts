import { Agent } from 'undici';
import { defined } from '../../src/lib/defined.ts';
import type {
  CancelEntry,
  HistoryEntry,
  InventoryEntry,
  LookUpEntry,
  PayEntry,
  PurchaseEntry,
  SeenInventory,
  SeenOrder,
} from './history.ts';

export interface ClientOptions {
  /** The origins of the instances. */
  readonly origins: readonly string[];
  readonly now: () => number;
  readonly write: (entry: HistoryEntry) => void;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export interface PurchaseRequest {
  readonly packageId: number;
  readonly email: string;
  readonly key?: string;
}

export interface RequestOptions {
  readonly prefer?: string;
  /** The client disconnects after this time, in ms. */
  readonly timeoutMs?: number;
}

/** The id and email that a look-up needs. */
export interface OrderAccess {
  readonly orderId: string;
  readonly email: string;
}

/** The page of the payment provider for an order. */
export interface PaymentPage {
  readonly orderId: string;
  readonly paymentUrl: string;
}

/** The timeout of a request, in ms. It is longer than the longest wait of a server, which is 10 s. */
const timeoutMs = 15_000;

/** An answer, or the error instead of one. */
export interface Answer {
  readonly sentAt: number;
  readonly endedAt: number;
  readonly origin: string;
  readonly status?: number;
  readonly error?: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** Sends HTTP requests to instances, given by index, and records each request with its answer. */
export class Client {
  readonly #options: ClientOptions;
  readonly #agent = new Agent({ connections: 400, connect: { timeout: 5_000 }, keepAliveTimeout: 10_000 });

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  get instances(): number {
    return this.#options.origins.length;
  }

  async purchase(
    instance: number,
    { key, ...fields }: PurchaseRequest,
    options: RequestOptions = {},
  ): Promise<PurchaseEntry> {
    const headers = {
      'content-type': 'application/json',
      ...defined({ 'idempotency-key': key, prefer: options.prefer }),
    };
    const request = { method: 'POST', path: '/api/orders', headers, body: JSON.stringify(fields) } as const;
    const answer = await this.ask(instance, request, options.timeoutMs);
    return this.recorded({
      kind: 'purchase',
      ...fields,
      ...defined({ key }),
      ...seen(answer),
    });
  }

  async lookUp(instance: number, { orderId, email }: OrderAccess): Promise<LookUpEntry> {
    const path = `/api/orders/${orderId}?email=${encodeURIComponent(email)}`;
    const answer = await this.ask(instance, { method: 'GET', path });
    return this.recorded({ kind: 'look-up', orderId, email, ...seen(answer) });
  }

  async cancel(instance: number, { orderId, email }: OrderAccess, prefer?: string): Promise<CancelEntry> {
    const headers = { 'content-type': 'application/json', ...defined({ prefer }) };
    const path = `/api/orders/${orderId}/cancel`;
    const answer = await this.ask(instance, {
      method: 'POST',
      path,
      headers,
      body: JSON.stringify({ email }),
    });
    return this.recorded({ kind: 'cancel', orderId, email, ...seen(answer) });
  }

  /** Pays at the page of the payment provider, or has the payment declined there. */
  async act(kind: PayEntry['kind'], { orderId, paymentUrl }: PaymentPage): Promise<PayEntry> {
    const { origin, pathname: path } = new URL(paymentUrl);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await this.#send(origin, { method: 'POST', path, headers, body: `act=${kind}` });
    const { sentAt, endedAt, status, error } = answer;
    const outcome = status === undefined ? defined({ error }) : { status };
    return this.recorded({ kind, orderId, sentAt, endedAt, origin, ...outcome });
  }

  async figures(instance: number, packageId: number): Promise<InventoryEntry> {
    const answer = await this.ask(instance, { method: 'GET', path: `/api/packages/${packageId}` });
    const figures = answer.status === 200 ? { figures: seenFigures(answer.body) } : {};
    return this.recorded({ kind: 'figures', packageId, ...seen(answer), ...figures });
  }

  /** Reads all packages; undefined without an answer. This request is not recorded. */
  async packages(
    instance: number,
  ): Promise<readonly (SeenInventory & { readonly id: number })[] | undefined> {
    const { status, body } = await this.ask(instance, { method: 'GET', path: '/api/packages' });
    if (status !== 200) return undefined;
    const list = body?.packages as Readonly<Record<string, unknown>>[];
    return list.map((each) => ({ id: Number(each.id), ...seenFigures(each) }));
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** Records a request with its answer. */
  recorded<Entry extends HistoryEntry>(entry: Entry): Entry {
    this.#options.write(entry);
    return entry;
  }

  /** Sends a request that is not recorded. Never rejects. */
  async ask(instance: number, request: HttpRequest, hangUpMs?: number): Promise<Answer> {
    return this.#send(this.#options.origins[instance] as string, request, hangUpMs);
  }

  async #send(origin: string, request: HttpRequest, hangUpMs?: number): Promise<Answer> {
    const { now } = this.#options;
    const gone = new AbortController();
    const timer = setTimeout(() => gone.abort(), hangUpMs ?? timeoutMs);
    const sentAt = now();
    try {
      const answer = await this.#agent.request({ origin, ...request, signal: gone.signal });
      const text = await answer.body.text();
      return { sentAt, endedAt: now(), origin, status: answer.statusCode, ...parsed(text) };
    } catch (error) {
      const silence = hangUpMs === undefined ? 'timeout' : 'hung up';
      return { sentAt, endedAt: now(), origin, error: gone.signal.aborted ? silence : codeOf(error) };
    } finally {
      clearTimeout(timer);
    }
  }
}

function parsed(text: string): Pick<Answer, 'body' | 'error'> {
  try {
    return { body: JSON.parse(text) as Record<string, unknown> };
  } catch {
    return { error: 'unreadable' };
  }
}

function codeOf(error: unknown): string {
  const { code, name, message } = error as NodeJS.ErrnoException;
  return code ?? name ?? message;
}

/** The recorded parts of an answer: an order, or a problem with its order. */
export function seen({ body, ...answer }: Answer) {
  const code = typeof body?.code === 'string' ? { code: body.code } : {};
  const shown = body !== undefined && 'code' in body ? body.order : body;
  const order = isOrder(shown) ? { order: seenOrder(shown) } : {};
  return { ...answer, ...code, ...order };
}

type ShownOrder = Readonly<Record<string, unknown>> & { readonly id: string };

function isOrder(shown: unknown): shown is ShownOrder {
  return typeof shown === 'object' && shown !== null && 'status' in shown && 'id' in shown;
}

function seenOrder(shown: ShownOrder): SeenOrder {
  const { id, packageId, email, status, reason, flight, hotel, queuePosition, paymentUrl, payBy } =
    shown as unknown as Omit<SeenOrder, 'payBy'> & {
      readonly flight?: { readonly ticketNumber: string };
      readonly hotel?: { readonly reservationNumber: string };
      readonly payBy?: string;
    };
  return {
    id,
    packageId,
    email,
    status,
    ...defined({
      reason,
      ticketNumber: flight?.ticketNumber,
      reservationNumber: hotel?.reservationNumber,
      queuePosition,
      paymentUrl,
      payBy: payBy === undefined ? undefined : Date.parse(payBy),
    }),
  };
}

function seenFigures(shown: unknown): SeenInventory {
  const { quota, remaining, held, confirmed, waiting } = shown as SeenInventory;
  return { quota, remaining, held, confirmed, waiting };
}
