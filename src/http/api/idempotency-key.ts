import type { Context } from 'hono';
import { check } from '../body.ts';
import { keyInput } from '../inputs.ts';
import { ProblemError } from '../problem.ts';

/**
 * The `Idempotency-Key`, if there is one. The IETF draft writes it as a string in quotes (RFC 8941), most clients
 * write it bare: `"abc"` and `abc` are the same key.
 * @throws ProblemError 422 unless it is 1 to 255 visible ASCII characters.
 */
export function readIdempotencyKey(c: Context): string | undefined {
  const header = c.req.header('idempotency-key');
  if (header === undefined) return undefined;
  const quoted = /^"(?<inner>(?:[^"\\]|\\["\\])*)"$/.exec(header)?.groups?.inner;
  const checked = check(keyInput, quoted === undefined ? header : quoted.replace(/\\(.)/g, '$1'));
  if ('value' in checked) return checked.value;
  const errors = checked.errors.map(({ message }) => ({ path: 'Idempotency-Key', message }));
  throw new ProblemError('invalid', { errors });
}
