import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../../src/storage/store.ts';
import { buy } from '../support/api-client.ts';

/** An order that the server has answered with 201 or 202. */
export interface AnsweredOrder {
  readonly id: string;
  readonly status: 201 | 202;
  /** Unix time in ms, rounded up. */
  readonly answeredAt: number;
}

const buyers = 4;

/** Buys until there are so many orders. Each order is answered alone, or with few others. */
export async function buyOrders(origin: string, packageId: number, orders: number): Promise<AnsweredOrder[]> {
  const answered: AnsweredOrder[] = [];
  const buyer = async (name: number) => {
    for (let nth = 1; answered.length < orders; nth++) {
      const options = { email: `${name}-${nth}@example.com`, key: `${name}-${nth}` };
      const prefer = nth % 2 === 0 ? { prefer: 'respond-async' } : {};
      const { status, order } = await buy(origin, packageId, { ...options, ...prefer });
      const answeredAt = Date.now() + 1;
      if ((status === 201 || status === 202) && order !== undefined)
        answered.push({ id: order.id, status, answeredAt });
      await sleep(10);
    }
  };
  await Promise.all(Array.from({ length: buyers }, (_, name) => buyer(name)));
  return answered.sort((one, other) => one.answeredAt - other.answeredAt);
}

/** The answered orders that the store has lost by this time: those that it has not, or not as they were answered. */
export async function lostOrders(
  store: Store,
  answered: readonly AnsweredOrder[],
  atMs: number,
): Promise<string[]> {
  const known = answered.filter(({ answeredAt }) => answeredAt < atMs);
  const stored = new Map((await store.orders(known.map(({ id }) => id))).map((order) => [order.id, order]));
  return known.flatMap(({ id, status }) => {
    const order = stored.get(id);
    if (order === undefined) return [`${id} was answered ${status} and is lost`];
    const isAsAnswered = status === 202 || (order.status === 'confirmed' && order.flight && order.hotel);
    return isAsAnswered ? [] : [`${id} was answered 201 and is ${order.status}`];
  });
}
