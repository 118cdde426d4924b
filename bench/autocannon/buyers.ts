import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import autocannon from 'autocannon';

export interface Sale {
  /** The instances of one deployment. */
  readonly origins: readonly string[];
  readonly packageId: number;
  /** Each connection buys equally often, so the number is rounded up. */
  readonly purchases: number;
  /** To all instances together. At least one for each, and no more than purchases. */
  readonly connections: number;
}

/** An order as it was last seen. */
export interface SeenOrder {
  readonly id: string;
  readonly email: string;
  readonly status: string;
}

export interface Answers {
  /** How many purchases were answered with each status and problem code: `202`, `409 sold_out`. */
  readonly purchases: Map<string, number>;
  /** All orders in the answers, by id. */
  readonly orders: Map<string, SeenOrder>;
  /** Look-ups without an order, and requests without an answer. */
  failures: number;
  /** Of all requests, in ms. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** What autocannon keeps between the two requests of one purchase. */
interface Context {
  email?: string;
  order?: string;
}

/** The parts of an answer that are read: an order, or a problem that may have one. */
interface Body {
  readonly id?: string;
  readonly email?: string;
  readonly status?: string | number;
  readonly code?: string;
  readonly order?: Body;
}

/** Statuses in which the order has no outcome yet. A payable order waits for its buyer, so it has one. */
const openStatuses: ReadonlySet<string> = new Set(['queued', 'held', 'compensating', 'cancelling']);
const requestTimeoutS = 15;
const betweenLooksMs = 200;

/**
 * Buys with autocannon, each purchase with an email and an Idempotency-Key of its own, and looks each order up at once.
 * @throws Error if autocannon cannot start.
 */
export async function buy({ origins, packageId, purchases, connections }: Sale): Promise<Answers> {
  const run = randomBytes(5).toString('hex');
  const counts = new Map<string, number>();
  const orders = new Map<string, SeenOrder>();
  let sent = 0;
  let missed = 0;
  const { errors, latency } = await autocannon({
    // Its types do not know of several targets.
    url: [...origins] as unknown as string,
    connections,
    // A connection with an odd number of requests would not look its last order up.
    amount: 2 * connections * Math.ceil(purchases / connections),
    timeout: requestTimeoutS,
    requests: [
      {
        method: 'POST',
        path: `/api/packages/${packageId}/orders`,
        setupRequest(request, context: Context) {
          sent += 1;
          context.email = `${run}-${sent}@example.com`;
          const key = `${run}-${sent}`;
          return {
            ...request,
            headers: { 'content-type': 'application/json', 'idempotency-key': key, prefer: 'respond-async' },
            body: JSON.stringify({ email: context.email }),
          };
        },
        onResponse(status, text, context: Context) {
          const body = parsed(text);
          const order = orderIn(body);
          const name = [status, body.code].filter((part) => part !== undefined).join(' ');
          counts.set(name, (counts.get(name) ?? 0) + 1);
          if (order === undefined) return;
          orders.set(order.id, order);
          context.order = order.id;
        },
      },
      {
        method: 'GET',
        setupRequest(request, { email = '', order }: Context) {
          // A refused purchase has no order: then the request looks at the package, to keep the number of requests.
          const path =
            order === undefined
              ? `/api/packages/${packageId}`
              : `/api/orders/${order}?email=${encodeURIComponent(email)}`;
          return { ...request, path };
        },
        onResponse(status, text, context: Context) {
          if (status !== 200) missed += 1;
          const order = context.order === undefined ? undefined : orderIn(parsed(text));
          if (order !== undefined) orders.set(order.id, order);
        },
      },
    ],
  });
  const { p50, p99, max } = latency;
  return { purchases: counts, orders, failures: errors + missed, latency: { p50, p99, max } };
}

/** Looks up the orders without an outcome, until all have one or the time is over. Returns how many have none then. */
export async function follow(
  orders: Map<string, SeenOrder>,
  origin: string,
  timeoutMs: number,
): Promise<number> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const open = [...orders.values()].filter(({ status }) => openStatuses.has(status));
    if (open.length === 0 || performance.now() > until) return open.length;
    for (const { id, email } of open) {
      const response = await fetch(`${origin}/api/orders/${id}?email=${encodeURIComponent(email)}`);
      const order = orderIn(parsed(await response.text()));
      if (order !== undefined) orders.set(id, order);
    }
    await pause(betweenLooksMs);
  }
}

function parsed(text: string): Body {
  try {
    return JSON.parse(text) as Body;
  } catch {
    // A proxy's page.
    return {};
  }
}

function orderIn(body: Body): SeenOrder | undefined {
  const { id, email, status } = body.order ?? body;
  if (id === undefined || email === undefined || typeof status !== 'string') return undefined;
  return { id, email, status };
}
