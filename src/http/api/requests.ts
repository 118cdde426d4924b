import { z } from 'zod';
import { publicKeyPrefix } from '../../suppliers/suppliers.ts';
import { emailInput, keyBytesMax, packageIdInput, shortText } from '../inputs.ts';

/* What the API takes: requests are checked with these, and described by them. */

export const purchaseBody = z.object(
  { packageId: packageIdInput, email: emailInput },
  { error: 'must be an object with packageId and email' },
);

export const buyerBody = z.object({ email: emailInput }, { error: 'must be an object with email' });

const name = shortText(100).regex(/[^ ]/, 'must not be blank');

export const flightBody = z.strictObject({ packageId: packageIdInput, flight: name, email: emailInput });

const ticketAdvice = 'must be the ticket number of a reserved flight';

export const hotelBody = z.strictObject({
  packageId: packageIdInput,
  stay: name,
  email: emailInput,
  flightTicketNumber: shortText(100, ticketAdvice).min(1, ticketAdvice),
});

/** A key as the ledger has it, with the prefix that was put before a public one. */
export const storedKey = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters, no blanks')
  .max(publicKeyPrefix.length + keyBytesMax)
  .meta({ description: "The reservation's Idempotency-Key." });

export const cursorInput = shortText(publicKeyPrefix.length + keyBytesMax)
  .optional()
  .meta({ description: '`next` of the page before. Absent: the first page.' });
