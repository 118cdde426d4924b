import { z } from 'zod';
import { packageIdMax } from '../domain/travel-package.ts';
import { publicKeyPrefix } from '../suppliers/suppliers.ts';
import { emailInput, newEmailInput } from './email.ts';

/** A package's id as a JSON number. */
export const packageIdInput = z
  .int({ error: 'must be a whole number, 1 or more' })
  .min(1, 'must be a whole number, 1 or more')
  .max(packageIdMax, `must be ${packageIdMax} or less`)
  .meta({ description: "A package's number." });

/** A number from 1 to {@link packageIdMax}, which has only nines, as a part of a regular expression. */
export const packageIdPattern = `[1-9]\\d{0,${String(packageIdMax).length - 1}}`;
const packageIdText = new RegExp(`^${packageIdPattern}$`);

/** Parses a package's id from a form field, a path or a topic; undefined when the text is not a valid id. */
export function packageIdFrom(text: string): number | undefined {
  return packageIdText.test(text) ? Number(text) : undefined;
}

/** The most packages that the order page shows, and that one connection watches. */
export const shownMax = 100;

/** Parses ids with dots between them, at most {@link shownMax}; undefined when the text is not such a list. */
export function packageIdsFrom(text: string): number[] | undefined {
  const ids = text.split('.').map(packageIdFrom);
  const valid = ids.filter((id) => id !== undefined);
  return valid.length === ids.length && ids.length <= shownMax ? valid : undefined;
}

/** A package's id as a form field or a path parameter, parsed to a number. */
export const packageIdField = z
  .string({ error: 'Choose a stay' })
  .regex(packageIdText, 'Choose a stay')
  .transform(Number)
  .meta({ description: "A package's number." });

/**
 * Any text with at most `charactersMax` characters. A character is a code point, as in JSON Schema. zod's own `max`
 * counts UTF-16 units, so an emoji would count twice.
 */
export function shortText(charactersMax: number, error?: string) {
  return z
    .string(error === undefined ? {} : { error })
    .refine((text) => text.length <= charactersMax || [...text].length <= charactersMax, {
      error: `must have at most ${charactersMax} characters`,
    })
    .meta({ maxLength: charactersMax });
}

export const keyBytesMax = 255;

/** An Idempotency-Key, without its optional quotes. */
export const keyInput = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters, no blanks')
  .max(keyBytesMax, `must have at most ${keyBytesMax} characters`);

/** The most packages on one page of a list. */
export const packagesMax = 1_000;

/** The text of a search for a flight. */
export const flightSearch = shortText(100).meta({
  description: 'Only flights whose name contains this text. Its case does not matter.',
});

/** The query of a list of packages. */
export const packagesQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^([1-9]\d{0,2}|1000)$/, `must be a whole number, 1 to ${packagesMax}`)
    .transform(Number)
    .exactOptional()
    .meta({ description: `At most so many packages, 1 to ${packagesMax}. Absent: ${packagesMax}.` }),
  cursor: z
    .string()
    .regex(packageIdText, 'must be `next` of another page')
    .transform(Number)
    .exactOptional()
    .meta({ description: '`next` of the page before. Absent: the first page.' }),
  flight: flightSearch.exactOptional(),
});

/* Request bodies. Requests are validated with these schemas, and `/openapi.json` is generated from them. */

export const purchaseBody = z.object(
  { packageId: packageIdInput, email: newEmailInput },
  { error: 'must be an object with packageId and email' },
);

/** The body of a request for a payment, in the payment protocol. */
export const paymentBody = z.strictObject({
  amount: z.int().min(0),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code'),
  email: emailInput,
  returnUrl: z.url({ protocol: /^https?$/, error: 'must be a URL' }).max(2_000),
});

/** The body of an event of the payment provider. Members that are not used may be anything. */
export const paymentEventBody = z.looseObject({
  data: z.looseObject({
    key: z.string().max(keyBytesMax),
    status: z.string().max(100).optional().catch(undefined),
  }),
});

const emailAdvice = 'must be an object with email';

/** The body of a purchase whose package is in the path. */
export const packagePurchaseBody = z.object({ email: newEmailInput }, { error: emailAdvice });

export const buyerBody = z.object({ email: emailInput }, { error: emailAdvice });

const name = shortText(100).regex(/[^ ]/, 'must not be blank');

export const flightBody = z.strictObject({ packageId: packageIdInput, flight: name, email: emailInput });

const ticketAdvice = 'must be the ticket number of a reserved flight';

export const hotelBody = z.strictObject({
  packageId: packageIdInput,
  stay: name,
  email: emailInput,
  flightTicketNumber: shortText(100, ticketAdvice).min(1, ticketAdvice),
});

/** An Idempotency-Key as the suppliers' ledger stores it, which may include the prefix of public callers. */
export const storedKey = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters, no blanks')
  .max(publicKeyPrefix.length + keyBytesMax)
  .meta({ description: "The reservation's Idempotency-Key." });

export const cursorInput = shortText(publicKeyPrefix.length + keyBytesMax)
  .optional()
  .meta({ description: '`next` of the page before. Absent: the first page.' });
