/**
 * The product's saga in Restate's terms: a virtual object per package, with all of a purchase inside one handler.
 * It claims a unit, reserves the flight and then the hotel as durable steps, and on a refusal cancels what was
 * reserved and gives the unit back. Restate runs one handler of a key at a time, so nothing is sold twice.
 *
 * The suppliers are functions that answer at once. What a purchase returned is the order, and Restate keeps it under
 * the idempotency key.
 */
import { randomUUID } from 'node:crypto';
import { type ObjectContext, object, type RunOptions, TerminalError } from '@restatedev/restate-sdk';

export interface Buyer {
  readonly packageId: number;
  readonly email: string;
}

/** A refusal is the supplier's answer, so it is not asked again. */
const once: RunOptions = { maxRetryAttempts: 1 };

async function buy(context: ObjectContext, buyer: Buyer): Promise<object> {
  const remaining = (await context.get<number>('remaining')) ?? 0;
  if (remaining <= 0) throw new TerminalError('sold_out', { errorCode: 409 });
  const id = context.rand.uuidv4();
  // What undoes a step is there before it runs.
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

/** By package id. */
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
    // Nobody looks into journals of the past, and not to keep them is less work.
    journalRetention: 0,
    idempotencyRetention: 24 * 3_600_000,
  },
});
