/**
 * The product's saga in Restate: each package is a virtual object, and each purchase is one call of its handler. The call
 * claims a unit, and reserves the flight and then the hotel as durable steps. After a refusal it cancels the reservations
 * and gives the unit back. Restate runs one call per package at a time, so no unit is sold twice.
 *
 * The suppliers are functions that answer at once. The result of a purchase is the order, which Restate stores under
 * the idempotency key.
 */
import { randomUUID } from 'node:crypto';
import { type ObjectContext, object, type RunOptions, TerminalError } from '@restatedev/restate-sdk';

export interface Buyer {
  readonly packageId: number;
  readonly email: string;
}

/** A refusal is the supplier's answer, so it is not retried. */
const once: RunOptions = { maxRetryAttempts: 1 };

async function buy(context: ObjectContext, buyer: Buyer): Promise<object> {
  const remaining = (await context.get<number>('remaining')) ?? 0;
  if (remaining <= 0) throw new TerminalError('sold_out', { errorCode: 409 });
  const id = context.rand.uuidv4();
  // The compensation is registered before its step runs.
  const undo = [async () => context.set('remaining', remaining)];
  context.set('remaining', remaining - 1);
  try {
    undo.push(() => context.run('cancel flight', () => {}));
    const flight = await context.run('reserve flight', reserveFlight, once);
    undo.push(() => context.run('cancel hotel', () => {}));
    const hotel = await context.run('reserve hotel', reserveHotel, once);
    return { id, ...buyer, status: 'confirmed', flight, hotel };
  } catch (error) {
    if (error instanceof TerminalError) for (const step of undo.reverse()) await step();
    throw error;
  }
}

function reserveFlight(): { ticketNumber: string } {
  return { ticketNumber: `F${randomUUID()}` };
}

function reserveHotel(): { reservationNumber: string } {
  return { reservationNumber: `H${randomUUID()}` };
}

/** The key is the package id. */
export const travelPackages = object({
  name: 'TravelPackages',
  handlers: {
    async open(context, { quota }: { quota: number }) {
      context.set('remaining', quota);
    },
    remaining: (context) => context.get<number>('remaining'),
    buy,
  },
  options: {
    // Journals of finished invocations are not needed, and deleting them saves work.
    journalRetention: 0,
    idempotencyRetention: 24 * 3_600_000,
  },
});
