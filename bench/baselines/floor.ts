import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Audit,
  type BaselineOrder,
  checkPurchase,
  type Purchase,
  problemOf,
  type Refusal,
} from './order-route.ts';
import { type Offer, runBaseline } from './program.ts';

/** The four group commits of a purchase. Each returns, or resolves, when the whole batch is durable. */
export interface FloorStore extends AsyncDisposable {
  /** Writes a batch of claims to a slot of the journal. The orders of the slot's last batch are stored by then. */
  claim(slot: number, batch: readonly BaselineOrder[]): void | Promise<void>;
  /** Writes a row to the suppliers' ledger for each order. */
  reserve(supplier: 'flight' | 'hotel', batch: readonly BaselineOrder[]): void | Promise<void>;
  /** Stores the confirmed orders. */
  confirm(batch: readonly BaselineOrder[]): void | Promise<void>;
  /** What is stored, for the audit. */
  stored(): Promise<Stored>;
}

export interface Stored {
  /** The number of orders by package. */
  readonly orders: ReadonlyMap<number, number>;
  /** The number of rows in the suppliers' ledger. */
  readonly reservations: number;
}

interface Sale {
  readonly order: BaselineOrder;
  readonly response: ServerResponse;
}

/**
 * The floor of a store: the least work for a purchase that is booked and durable as in the product, in one process
 * without a framework. A claim is journaled before any supplier is asked, each supplier's ledger gets a row, and the
 * order is stored before its answer: four group commits, shared by all purchases that wait for them. Anything else is
 * left out: no fence against a second owner, no idempotency keys, no queue, no recovery, no live updates, no limits, and
 * no index but the primary ones. So it shows the distance to the physical limit; it is not a solution.
 */
export function runFloor(open: (offers: readonly Offer[]) => Promise<FloorStore>): Promise<void> {
  return runBaseline(async (offers) => {
    const store = await open(offers);
    return {
      listener: listenerOf(new Floor(store, offers)),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  });
}

class Floor {
  readonly #store: FloorStore;
  readonly #offers: readonly Offer[];
  /** Units that are not claimed, by package. */
  readonly #remaining: Map<number, number>;
  readonly #freeSlots: number[] = [];
  #slots = 0;
  #waiting: Sale[] = [];
  #underWay = 0;
  #isClaiming = false;

  constructor(store: FloorStore, offers: readonly Offer[]) {
    this.#store = store;
    this.#offers = offers;
    this.#remaining = new Map(offers.map(({ id, quota }) => [id, quota]));
  }

  /** Answers now with a refusal, or later with the confirmed order. */
  purchase(body: unknown, response: ServerResponse): void {
    const purchase = checkPurchase(body, undefined);
    if (purchase === undefined) return refuse(response, 'invalid');
    const { packageId } = purchase;
    const remaining = this.#remaining.get(packageId);
    if (remaining === undefined) return refuse(response, 'unknown_package');
    if (remaining === 0) return refuse(response, 'sold_out');
    this.#remaining.set(packageId, remaining - 1);
    this.#underWay += 1;
    this.#waiting.push({ order: orderOf(purchase), response });
    if (this.#isClaiming) return;
    this.#isClaiming = true;
    // All requests that this turn of the event loop reads share a batch.
    setImmediate(() => void this.#claim());
  }

  /** Claims batch after batch. The next batch is claimed while the ones before it are booked. */
  async #claim(): Promise<void> {
    while (this.#waiting.length > 0) {
      const sales = this.#waiting;
      this.#waiting = [];
      const orders = sales.map(({ order }) => order);
      const slot = this.#freeSlots.pop() ?? this.#slots++;
      await this.#store.claim(slot, orders);
      void this.#book(sales, orders).then(() => this.#freeSlots.push(slot));
    }
    this.#isClaiming = false;
  }

  async #book(sales: readonly Sale[], orders: readonly BaselineOrder[]): Promise<void> {
    const store = this.#store;
    await store.reserve('flight', orders);
    await store.reserve('hotel', orders);
    await store.confirm(orders);
    for (const { order, response } of sales) {
      answer(response, 201, JSON.stringify(order), 'application/json');
    }
    this.#underWay -= sales.length;
  }

  /**
   * Whether each unit is sold once, and each answered order is stored with its reservations: when nothing is under way,
   * the units that are not remaining are those that were answered 201.
   */
  async audit(): Promise<Audit> {
    while (this.#underWay > 0) await sleep(10);
    const { orders, reservations } = await this.#store.stored();
    let total = 0;
    for (const { id, quota } of this.#offers) {
      const [remaining = 0, sold = 0] = [this.#remaining.get(id), orders.get(id)];
      total += sold;
      if (remaining < 0 || remaining + sold !== quota) {
        const detail = `package ${id}: ${remaining} remaining + ${sold} orders ≠ quota ${quota}`;
        return { verdict: 'void', detail };
      }
    }
    if (reservations !== 2 * total)
      return { verdict: 'void', detail: `${total} orders have ${reservations} reservations` };
    return { verdict: 'clean', detail: `remaining + ${total} orders = quota, with their reservations` };
  }
}

function listenerOf(floor: Floor): RequestListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/audit') {
      void floor.audit().then((audit) => answer(response, 200, JSON.stringify(audit), 'application/json'));
      return;
    }
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => floor.purchase(parsed(body), response));
  };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** An order whose id and numbers begin with the time, so that new rows go to the end of the primary indexes. */
function orderOf({ packageId, email }: Purchase): BaselineOrder {
  const now = new Date();
  const id = now.getTime().toString(36) + randomUUID().slice(-12);
  return {
    id,
    packageId,
    email,
    status: 'confirmed',
    flight: { ticketNumber: `F${id}` },
    hotel: { reservationNumber: `H${id}` },
    createdAt: now.toISOString(),
  };
}

function refuse(response: ServerResponse, code: Refusal): void {
  const problem = problemOf(code);
  answer(response, problem.status, JSON.stringify(problem), 'application/problem+json');
}

function answer(response: ServerResponse, status: number, body: string, type: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
