import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

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
  .pipe(z.email({ error: emailAdvice }));

/** A package's id as JSON has it. */
export const packageIdInput = z
  .int({ error: 'must be a whole number, 1 or more' })
  .min(1, 'must be a whole number, 1 or more');

const packageIdText = /^[1-9]\d{0,14}$/;

/** A package's id as a form field or a part of a path; undefined where it cannot be one. */
export function packageIdFrom(text: string): number | undefined {
  return packageIdText.test(text) ? Number(text) : undefined;
}

/** A package's id as a form has it. */
export const packageIdField = z
  .string({ error: 'Choose a stay' })
  .regex(packageIdText, 'Choose a stay')
  .transform(Number);

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
