import { z } from 'zod';

/** Ticket and reservation numbers end up on pages: they are short, and printable without surprises. */
const number = z.string().regex(/^[\x21-\x7e]{1,64}$/);

/** What a 201 of each kind of supplier says: its number. */
export const reserved = {
  flights: z.object({ ticketNumber: number }).transform(({ ticketNumber }) => ticketNumber),
  hotels: z.object({ reservationNumber: number }).transform(({ reservationNumber }) => reservationNumber),
};

/** The part of a problem (RFC 9457) that the protocol goes by. */
export const problem = z.object({
  code: z.enum(['flight_unavailable', 'hotel_unavailable', 'invalid_ticket', 'cancelled']),
});

/** Any problem's code, for a message. */
export const anyProblem = z.object({ code: z.string().regex(/^[a-z_]{1,40}$/) });

export const ledgerPage = z.object({
  reservations: z.array(
    z.object({
      key: z.string().min(1).max(300),
      number,
      status: z.enum(['active', 'cancelled']),
    }),
  ),
  next: z.string().min(1).max(1000).optional(),
});
