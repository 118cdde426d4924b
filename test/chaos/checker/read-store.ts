import { type Document, MongoClient } from 'mongodb';
import type { FinalState, StoredOrder, StoredPackage } from './final-state.ts';

/** The server's database if `DATABASE_URL` does not name one. */
const defaultDatabase = 'ticket-booking';

/**
 * Reads packages and orders from one snapshot of MongoDB, with nothing but the driver. If the checker used the server's
 * own adapter, one bug would be in both.
 */
export async function readStore(mongoUrl: string): Promise<Pick<FinalState, 'packages' | 'orders'>> {
  const client = new MongoClient(mongoUrl, { readPreference: 'primary' });
  try {
    const db = client.db(hasDatabase(mongoUrl) ? undefined : defaultDatabase);
    return await client.withSession({ snapshot: true }, async (session) => {
      const packages = await db.collection('packages').find({}, { session }).toArray();
      const orders: StoredOrder[] = [];
      const words = new Map<string, string>();
      const options = { session, projection: { package: 0 }, sort: { _id: 1 } } as const;
      for await (const document of db.collection('orders').find({}, options)) {
        orders.push(orderFrom(document, words));
      }
      return { packages: packages.map(packageFrom), orders };
    });
  } finally {
    await client.close();
  }
}

function hasDatabase(url: string): boolean {
  return /^mongodb(?:\+srv)?:\/\/[^/]+\/[^?]/.test(url);
}

function packageFrom({ _id, package: onSale, figures }: Document): StoredPackage {
  const { remaining, held, confirmed, cancelling, waiting, nextNumber } = figures;
  return {
    ...{ id: Number(_id), price: onSale.price, quota: onSale.quota, version: onSale.version },
    isPaused: onSale.paused === true,
    ...{ remaining, held, confirmed, cancelling, waiting, nextNumber },
  };
}

/**
 * Reads an order. Every document repeats the same few texts in its timeline, so all orders share one copy of each text
 * in `words`.
 */
function orderFrom(document: Document, words: Map<string, string>): StoredOrder {
  const { packageId, number, email, key, reason, flight, hotel, payment } = document;
  const timeline = document.timeline as readonly { at: number; event: string }[];
  return {
    ...{ id: String(document._id), packageId, number, email },
    ...(key === undefined ? {} : { key }),
    status: once(document.status, words),
    ...(reason === undefined ? {} : { reason: once(reason, words) }),
    ...(flight?.ticketNumber === undefined ? {} : { ticketNumber: flight.ticketNumber }),
    ...(hotel?.reservationNumber === undefined ? {} : { reservationNumber: hotel.reservationNumber }),
    ...(payment?.payBy === undefined ? {} : { payBy: payment.payBy }),
    timeline: timeline.map(({ at, event }) => ({ at, event: once(event, words) })),
  };
}

function once(word: string, words: Map<string, string>): string {
  const known = words.get(word);
  if (known === undefined) words.set(word, word);
  return known ?? word;
}
