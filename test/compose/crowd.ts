import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import {
  type Order,
  ProblemError,
  type Purchase,
  TicketClient,
  TicketError,
} from '../../clients/typescript/src/index.ts';
import type { Stack } from './stack.ts';

/** How a buyer buys and learns of the outcome. */
export type Way = 'http' | 'socket';

interface Bought extends Purchase {
  readonly key: string;
  readonly way: Way;
  /** Unix time in ms. */
  readonly sentAt: number;
  /** The order with its outcome. */
  order?: Order;
  /** The code of a refusal without an order, such as `sold_out`. */
  refusal?: string;
}

const pauseMs = 100;
const outcomeTimeoutMs = 120_000;

/** Buyers at the proxy of a stack. They remember every purchase and its answer. */
export class Crowd {
  readonly #stack: Stack;
  readonly #clients: Readonly<Record<Way, TicketClient>>;
  readonly #purchases: Bought[] = [];
  /** Orders whose outcome a socket has told. */
  readonly toldBySocket = new Set<string>();
  #buying: Promise<unknown> | undefined;
  #isStopped = false;

  constructor(stack: Stack) {
    this.#stack = stack;
    const { origin } = stack;
    const { toldBySocket } = this;
    class WatchedSocket extends WebSocket {
      constructor(url: string | URL) {
        super(url);
        this.addEventListener('message', ({ data }) => {
          const { order } = JSON.parse(String(data)) as { order?: Order };
          if (order !== undefined) toldBySocket.add(order.id);
        });
      }
    }
    this.#clients = {
      // To the second address of a purchase, which the proxy hashes.
      http: new TicketClient(origin, { fetch: viaPackage, WebSocket: null }),
      socket: new TicketClient(origin, { WebSocket: WatchedSocket }),
    };
  }

  /** Buys these packages in turn until {@link stop}. */
  start(packages: readonly number[], buyers = 4): void {
    this.#isStopped = false;
    const buyer = async (_: unknown, index: number) => {
      for (let turn = index; !this.#isStopped; turn++) {
        await this.buy(packages[turn % packages.length] as number, index % 2 === 0 ? 'http' : 'socket');
        await sleep(pauseMs);
      }
    };
    this.#buying = Promise.all(Array.from({ length: buyers }, buyer));
  }

  /** Ends when every purchase under way has its outcome, or no answer in spite of the client's retries. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#buying;
    this.#buying = undefined;
  }

  async buy(packageId: number, way: Way): Promise<void> {
    const nth = this.#purchases.length;
    const bought = {
      packageId,
      email: `buyer-${nth}@example.com`,
      key: `key-${nth}`,
      way,
      sentAt: Date.now(),
    };
    this.#purchases.push(bought);
    await this.#learn(bought);
  }

  /** Buys, or asks again with the same key. Leaves a purchase open that got no definite answer. */
  async #learn(bought: Bought): Promise<void> {
    const { packageId, email, key, way } = bought;
    const client = this.#clients[way];
    try {
      const waitSeconds = way === 'socket' ? 0 : 10;
      const order = await client
        .buy({ packageId, email }, { idempotencyKey: key, waitSeconds })
        .catch(orderIn);
      bought.order = await client.waitForOutcome(order, { timeoutMs: outcomeTimeoutMs });
    } catch (error) {
      if (!(error instanceof TicketError)) throw error;
      if (error.isTemporary) return;
      if (!(error instanceof ProblemError)) throw error;
      bought.refusal = error.code;
    }
  }

  /** Whether each of the packages was sold to somebody who asked after this time. */
  hasSoldEach(packages: readonly number[], since: number, way?: Way): boolean {
    const recent = this.#purchases.filter(
      (each) => each.sentAt >= since && each.order?.status === 'confirmed' && (way ?? each.way) === each.way,
    );
    return new Set(recent.map(({ packageId }) => packageId)).size === packages.length;
  }

  /**
   * Accounts for every purchase: each has an answer by now, or gets one with its key; the stack has exactly the orders
   * that were answered, with the outcomes that were answered; a package has sold as many units as it has confirmed
   * orders; and the audit finds nothing.
   */
  async expectAllAccounted(): Promise<void> {
    const open = () =>
      this.#purchases.filter(({ order, refusal }) => order === undefined && refusal === undefined);
    const unanswered = open().length;
    for (const bought of open()) await this.#learn(bought);
    expect(open()).toEqual([]);
    const orders = this.#purchases.flatMap(({ order }) => order ?? []);
    const told = new Map(orders.map(({ id, status }) => [id, status]));
    expect(told.size, 'one order for each key').toBe(orders.length);
    const stored = await this.#stack.orders();
    expect(Object.fromEntries(stored)).toEqual(Object.fromEntries(told));
    const confirmed = orders.filter(({ status }) => status === 'confirmed');
    for await (const shown of this.#clients.http.allPackages()) {
      const sold = confirmed.filter(({ packageId }) => packageId === shown.id).length;
      const { id, confirmed: units, held, waiting, quota, remaining } = shown;
      expect({ id, units, held, waiting, remaining }).toEqual({
        ...{ id, units: sold, held: 0, waiting: 0 },
        remaining: quota - sold,
      });
    }
    const { ok, findings, suppliersRead, inMotion } = await this.#stack.audit();
    expect({ ok, findings, suppliersRead, inMotion }).toEqual({
      ...{ ok: true, findings: [], suppliersRead: true, inMotion: [] },
    });
    const refused = this.#purchases.length - orders.length;
    console.log(
      `${this.#purchases.length} purchases: ${confirmed.length} confirmed, ${orders.length - confirmed.length} ended ` +
        `otherwise, ${refused} refused; ${unanswered} learnt of their outcome later, by their key`,
    );
  }
}

/** The order that a problem is about, such as one that has failed at a supplier. */
function orderIn(error: unknown): Order {
  if (error instanceof ProblemError && error.order !== undefined) return error.order;
  throw error;
}

/** Sends a purchase to the address of its package, and everything else where it belongs. */
function viaPackage(url: URL, init: RequestInit): Promise<Response> {
  if (url.pathname !== '/api/orders') return fetch(url, init);
  const { packageId, email } = JSON.parse(String(init.body)) as Purchase;
  return fetch(new URL(`/api/packages/${packageId}/orders`, url), {
    ...init,
    body: JSON.stringify({ email }),
  });
}
