import type { Context } from 'hono';
import { z } from 'zod';
import { check } from '../body.ts';
import { keyBytesMax, keyInput } from '../inputs.ts';
import { ProblemError } from '../problem.ts';

const quoted = /^"(?<inner>(?:[^"\\]|\\["\\])*)"$/;

/** The header as it may be sent: the key, bare or in quotes. */
export const idempotencyKeyHeader = z
  .string()
  .transform((header) => {
    const inner = quoted.exec(header)?.groups?.inner;
    return inner === undefined ? header : inner.replace(/\\(.)/g, '$1');
  })
  .pipe(keyInput)
  // Two quotes around nothing are no key.
  .meta({ pattern: '^(?!""$)[\\x21-\\x7e]+$', maxLength: keyBytesMax });

/**
 * The `Idempotency-Key`, if there is one. The IETF draft writes it as a string in quotes (RFC 8941), most clients
 * write it bare: `"abc"` and `abc` are the same key.
 * @throws ProblemError 422 unless it is 1 to 255 visible ASCII characters.
 */
export function readIdempotencyKey(c: Context): string | undefined {
  const header = c.req.header('idempotency-key');
  if (header === undefined) return undefined;
  const checked = check(idempotencyKeyHeader, header);
  if ('value' in checked) return checked.value;
  const errors = checked.errors.map(({ message }) => ({ path: 'Idempotency-Key', message }));
  throw new ProblemError('invalid', { errors });
}
