import { Agent } from 'undici';
import type {
  CancelEntry,
  FiguresEntry,
  HistoryEntry,
  LookUpEntry,
  PurchaseEntry,
  SeenFigures,
  SeenOrder,
} from './history.ts';

export interface ClientOptions {
  /** The addresses of the instances. */
  readonly origins: readonly string[];
  readonly now: () => number;
  readonly write: (entry: HistoryEntry) => void;
}

export interface Wish {
  readonly packageId: number;
  readonly email: string;
  readonly key?: string;
}

export interface Manner {
  readonly prefer?: string;
  /** The client disconnects after this time. */
  readonly patienceMs?: number;
}

/** The id and email that a look-up needs. */
export interface Ticket {
  readonly orderId: string;
  readonly email: string;
}

/** Longer than the longest wait of a server, which is 10 s. */
const patienceMs = 15_000;

interface Heard {
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

  async purchase(instance: number, { key, ...wish }: Wish, manner: Manner = {}): Promise<PurchaseEntry> {
    const headers = {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...(manner.prefer === undefined ? {} : { prefer: manner.prefer }),
    };
    const request = { method: 'POST', path: '/api/orders', headers, body: JSON.stringify(wish) } as const;
    const heard = await this.#ask(instance, request, manner.patienceMs);
    return this.#noted({
      kind: 'purchase',
      ...wish,
      ...(key === undefined ? {} : { key }),
      ...seen(heard),
    });
  }

  async lookUp(instance: number, { orderId, email }: Ticket): Promise<LookUpEntry> {
    const path = `/api/orders/${orderId}?email=${encodeURIComponent(email)}`;
    const heard = await this.#ask(instance, { method: 'GET', path });
    return this.#noted({ kind: 'look-up', orderId, email, ...seen(heard) });
  }

  async cancel(instance: number, { orderId, email }: Ticket, prefer?: string): Promise<CancelEntry> {
    const headers = { 'content-type': 'application/json', ...(prefer === undefined ? {} : { prefer }) };
    const path = `/api/orders/${orderId}/cancel`;
    const heard = await this.#ask(instance, {
      method: 'POST',
      path,
      headers,
      body: JSON.stringify({ email }),
    });
    return this.#noted({ kind: 'cancel', orderId, email, ...seen(heard) });
  }

  async figures(instance: number, packageId: number): Promise<FiguresEntry> {
    const heard = await this.#ask(instance, { method: 'GET', path: `/api/packages/${packageId}` });
    const figures = heard.status === 200 ? { figures: seenFigures(heard.body) } : {};
    return this.#noted({ kind: 'figures', packageId, ...seen(heard), ...figures });
  }

  /** All packages; undefined without an answer. This request is not recorded. */
  async packages(instance: number): Promise<readonly (SeenFigures & { readonly id: number })[] | undefined> {
    const { status, body } = await this.#ask(instance, { method: 'GET', path: '/api/packages' });
    if (status !== 200) return undefined;
    const list = body?.packages as Readonly<Record<string, unknown>>[];
    return list.map((each) => ({ id: Number(each.id), ...seenFigures(each) }));
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #noted<Entry extends HistoryEntry>(entry: Entry): Entry {
    this.#options.write(entry);
    return entry;
  }

  async #ask(
    instance: number,
    request: {
      readonly method: 'GET' | 'POST';
      readonly path: string;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    },
    hangUpMs?: number,
  ): Promise<Heard> {
    const { origins, now } = this.#options;
    const origin = origins[instance] as string;
    const gone = new AbortController();
    const timer = setTimeout(() => gone.abort(), hangUpMs ?? patienceMs);
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

function parsed(text: string): Pick<Heard, 'body' | 'error'> {
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
function seen({ body, ...heard }: Heard) {
  const code = typeof body?.code === 'string' ? { code: body.code } : {};
  const shown = body !== undefined && 'code' in body ? body.order : body;
  const order = isOrder(shown) ? { order: seenOrder(shown) } : {};
  return { ...heard, ...code, ...order };
}

type Shown = Readonly<Record<string, unknown>> & { readonly id: string };

function isOrder(shown: unknown): shown is Shown {
  return typeof shown === 'object' && shown !== null && 'status' in shown && 'id' in shown;
}

function seenOrder(shown: Shown): SeenOrder {
  const { id, packageId, email, status, reason, flight, hotel, queuePosition } =
    shown as unknown as SeenOrder & {
      readonly flight?: { readonly ticketNumber: string };
      readonly hotel?: { readonly reservationNumber: string };
    };
  return {
    id,
    packageId,
    email,
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(flight === undefined ? {} : { ticketNumber: flight.ticketNumber }),
    ...(hotel === undefined ? {} : { reservationNumber: hotel.reservationNumber }),
    ...(queuePosition === undefined ? {} : { queuePosition }),
  };
}

function seenFigures(shown: unknown): SeenFigures {
  const { quota, remaining, held, confirmed, waiting } = shown as SeenFigures;
  return { quota, remaining, held, confirmed, waiting };
}
