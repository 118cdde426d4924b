import { createHash, timingSafeEqual } from 'node:crypto';
import { type Context, Hono } from 'hono';
import type { z } from 'zod';
import { publicKeyPrefix, type SupplierAnswer, type SupplierKind } from '../../suppliers/suppliers.ts';
import type { AppServices, HttpSettings } from '../app-services.ts';
import { check, readJson } from '../body.ts';
import { cursorInput, flightBody, hotelBody, storedKey } from '../inputs.ts';
import { sendJson } from '../json.ts';
import { take } from '../limits.ts';
import { allowOnly } from '../methods.ts';
import { ProblemError, problem } from '../problem.ts';
import { readIdempotencyKey } from './headers.ts';

type Deps = Pick<AppServices, 'suppliers' | 'random' | 'limits'> & {
  readonly settings: Pick<HttpSettings, 'suppliersToken'>;
};

export interface SupplierRoutesOptions {
  /**
   * Who may use keys as they are, cancel, and read the ledger: who has `settings.suppliersToken` (the default), or
   * everyone, where nobody but peers can reach the server.
   */
  readonly trust?: 'token' | 'everyone';
}

/**
 * The supplier protocol: per kind of supplier `POST /<kind>/reservations`, `GET` of the same (the ledger) and
 * `DELETE /<kind>/reservations/<key>`.
 *
 * Anybody may reserve, but in a world apart: a public caller's keys are prefixed, so they never meet an order's,
 * and its hotels take public tickets only.
 */
export function supplierRoutes(deps: Deps, { trust = 'token' }: SupplierRoutesOptions = {}): Hono {
  const isTrusted = trust === 'everyone' ? () => true : tokenCheck(deps.settings.suppliersToken);

  function requireTrust(c: Context): void {
    if (!isTrusted(c)) throw unauthorized('This is for callers with the token of the suppliers.');
  }

  /** Peers may reserve as often as they like. */
  async function requireRate(c: Context): Promise<void> {
    const { limits } = deps;
    if (limits === undefined || isTrusted(c)) return;
    const refused = await take(c, limits.supplier);
    if (refused !== undefined) throw new ProblemError('rate_limited', refused);
  }

  /** The caller's own key, or one in the public world, where a caller without any gets one that nobody knows. */
  function keyOf(c: Context): string {
    const key = readIdempotencyKey(c);
    if (!isTrusted(c))
      return publicKeyPrefix + (key ?? Buffer.from(deps.random.bytes(16)).toString('base64url'));
    if (key !== undefined) return key;
    throw invalid('Idempotency-Key', 'must be given: the same key gets the same answer again');
  }

  async function cancel(c: Context, kind: SupplierKind): Promise<Response> {
    requireTrust(c);
    await deps.suppliers.cancel(kind, checked(storedKey, 'key', c.req.param('key')));
    return c.body(null, 204, { 'Cache-Control': 'no-store' });
  }

  async function ledger(c: Context, kind: SupplierKind): Promise<Response> {
    requireTrust(c);
    const cursor = checked(cursorInput, 'cursor', c.req.query('cursor'));
    const { items, next } = await deps.suppliers.ledger(kind, cursor);
    return sendJson(200, next === undefined ? { reservations: items } : { reservations: items, next });
  }

  const routes = new Hono()
    .post('/flights/reservations', async (c) => {
      await requireRate(c);
      const key = keyOf(c);
      const answer = await deps.suppliers.reserveFlight({ key, ...(await readJson(c, flightBody)) });
      return send(c, 'ticketNumber', answer);
    })
    .post('/hotels/reservations', async (c) => {
      await requireRate(c);
      const key = keyOf(c);
      const answer = await deps.suppliers.reserveHotel({ key, ...(await readJson(c, hotelBody)) });
      return send(c, 'reservationNumber', answer);
    });
  for (const kind of ['flights', 'hotels'] as const) {
    routes
      .get(`/${kind}/reservations`, (c) => ledger(c, kind))
      .all(`/${kind}/reservations`, allowOnly('GET', 'POST'))
      .delete(`/${kind}/reservations/:key`, (c) => cancel(c, kind))
      .all(`/${kind}/reservations/:key`, allowOnly('DELETE'));
  }
  return routes;
}

function send(c: Context, member: string, answer: SupplierAnswer): Response {
  if (answer.kind === 'refused') return problem(c, answer.code);
  return sendJson(201, { [member]: answer.number });
}

/**
 * Tells who brings the token, at the same cost for any guess. A bearer of a wrong one is turned away and not taken
 * for a public caller: it is a peer that is set up wrongly, whose orders would get reservations it cannot cancel.
 */
function tokenCheck(token: string | undefined): (c: Context) => boolean {
  const expected = token === undefined ? undefined : digest(token);
  return (c) => {
    const bearer = /^bearer(?<token>$| .*)/i.exec(c.req.header('authorization') ?? '');
    if (bearer === null) return false;
    const given = bearer.groups?.token?.trim() ?? '';
    if (expected !== undefined && timingSafeEqual(digest(given), expected)) return true;
    throw unauthorized('The bearer token is not the one of the suppliers.');
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function checked<Schema extends z.ZodType>(schema: Schema, path: string, input: unknown): z.output<Schema> {
  const result = check(schema, input);
  if ('value' in result) return result.value;
  throw invalid(path, result.errors[0]?.message ?? 'is not valid');
}

function invalid(path: string, message: string): ProblemError {
  return new ProblemError('invalid', { errors: [{ path, message }] });
}

function unauthorized(detail: string): ProblemError {
  return new ProblemError('unauthorized', { detail, headers: { 'WWW-Authenticate': 'Bearer' } });
}
