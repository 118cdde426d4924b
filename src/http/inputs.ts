import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { packageIdMax } from '../domain/travel-package.ts';
import { publicKeyPrefix } from '../suppliers/suppliers.ts';

const emailAdvice = 'must be an email address, for example ana@example.com';

/**
 * An email, trimmed and in lower case. Only ASCII is let in, and before the case is changed: some letters outside
 * of it, such as the Kelvin sign, turn into ASCII ones and would make one person's address another's.
 */
export const emailInput = z
  .string({ error: emailAdvice })
  .trim()
  .regex(/^[\x20-\x7e]*$/, emailAdvice)
  .toLowerCase()
  .max(254, 'must have at most 254 characters')
  .pipe(z.email({ error: emailAdvice }))
  .meta({
    description: 'An email address. Its case does not matter.',
    pattern: z.regexes.email.source,
  });

/** A package's id as JSON has it. */
export const packageIdInput = z
  .int({ error: 'must be a whole number, 1 or more' })
  .min(1, 'must be a whole number, 1 or more')
  .max(packageIdMax, `must be ${packageIdMax} or less`)
  .meta({ description: "A package's number." });

/** 1 to {@link packageIdMax}. */
const packageIdText = /^[1-9]\d{0,14}$/;

/** A package's id as a form field or a part of a path; undefined where it cannot be one. */
export function packageIdFrom(text: string): number | undefined {
  return packageIdText.test(text) ? Number(text) : undefined;
}

/** A package's id as a form has it. */
export const packageIdField = z
  .string({ error: 'Choose a stay' })
  .regex(packageIdText, 'Choose a stay')
  .transform(Number)
  .meta({ description: "A package's number." });

/**
 * Any text of so many characters at most. They are counted as JSON Schema counts them: by code point, where zod's
 * own `max` counts halves of what lies beyond the 16-bit plane.
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

/** The value of an Idempotency-Key, without the quotes that it may have come in. */
export const keyInput = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters, no blanks')
  .max(keyBytesMax, `must have at most ${keyBytesMax} characters`);

/** Whether two emails in their canonical form are the same, at the same cost for any two (rule Q10). */
export function isSameEmail(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

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
