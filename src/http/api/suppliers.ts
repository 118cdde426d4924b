import type { Context, Hono } from 'hono';
import type { z } from 'zod';
import {
  publicKeyPrefix,
  type SupplierAnswer,
  type SupplierKind,
  supplierKinds,
} from '../../suppliers/suppliers.ts';
import type { AppServices, HttpSettings } from '../app-services.ts';
import { cursorInput, flightBody, hotelBody, storedKey } from '../inputs.ts';
import { sendJson } from '../json.ts';
import { take } from '../limits.ts';
import { serveRoutes } from '../methods.ts';
import { ProblemError, problem } from '../problem.ts';
import { check, readIdempotencyKey, readJson } from '../request.ts';
import { isSameText } from '../security.ts';

type Services = Pick<AppServices, 'suppliers' | 'random' | 'limits'> & {
  readonly settings: Pick<HttpSettings, 'suppliersToken' | 'publicSuppliers'>;
};

export interface SupplierRoutesOptions {
  /**
   * The callers that may use keys without a prefix, cancel, and read the ledger. `token` (the default): callers with
   * `settings.suppliersToken`. `everyone`: all callers, for a server that only other servers can reach.
   */
  readonly trust?: 'token' | 'everyone';
}

/**
 * The supplier protocol. Each kind of supplier has `POST /<kind>/reservations`, `GET /<kind>/reservations` (the ledger)
 * and `DELETE /<kind>/reservations/<key>`.
 *
 * Public callers may reserve too, unless `settings.publicSuppliers` is false, but cannot touch real orders: their keys
 * get a prefix, so they never equal an order's key, and their hotel reservations accept only public flight tickets.
 */
export function supplierRoutes(services: Services, { trust = 'token' }: SupplierRoutesOptions = {}): Hono {
  const { suppliersToken, publicSuppliers = true } = services.settings;
  const isTrusted = trust === 'everyone' ? () => true : tokenCheck(suppliersToken);

  function requireTrust(c: Context): void {
    if (!isTrusted(c)) throw unauthorized('This is for callers with the token of the suppliers.');
  }

  /** Admits public callers within their rate limit, if at all. Trusted callers have no limit. */
  async function admit(c: Context): Promise<void> {
    const { limits } = services;
    if (isTrusted(c)) return;
    if (!publicSuppliers) throw unauthorized(closedToThePublic);
    if (limits === undefined) return;
    const refused = await take(c, limits.supplier);
    if (refused !== undefined) throw new ProblemError('rate_limited', refused);
  }

  /**
   * The key of a trusted caller, or the key of a public caller with its prefix. A public caller without a key gets a
   * random one.
   */
  function keyOf(c: Context): string {
    const key = readIdempotencyKey(c);
    if (!isTrusted(c))
      return publicKeyPrefix + (key ?? Buffer.from(services.random.bytes(16)).toString('base64url'));
    if (key !== undefined) return key;
    throw invalid('Idempotency-Key', 'must be given: the same key gets the same answer again');
  }

  async function cancel(c: Context, kind: SupplierKind): Promise<Response> {
    requireTrust(c);
    await services.suppliers.cancel(kind, checked(storedKey, 'key', c.req.param('key')));
    return c.body(null, 204, { 'Cache-Control': 'no-store' });
  }

  async function ledger(c: Context, kind: SupplierKind): Promise<Response> {
    requireTrust(c);
    const cursor = checked(cursorInput, 'cursor', c.req.query('cursor'));
    const { items, next } = await services.suppliers.ledger(kind, cursor);
    return sendJson(200, next === undefined ? { reservations: items } : { reservations: items, next });
  }

  async function reserveFlight(c: Context): Promise<Response> {
    await admit(c);
    const key = keyOf(c);
    const answer = await services.suppliers.reserveFlight({ key, ...(await readJson(c, flightBody)) });
    return send(c, 'ticketNumber', answer);
  }

  async function reserveHotel(c: Context): Promise<Response> {
    await admit(c);
    const key = keyOf(c);
    const answer = await services.suppliers.reserveHotel({ key, ...(await readJson(c, hotelBody)) });
    return send(c, 'reservationNumber', answer);
  }

  const reserve: Record<SupplierKind, (c: Context) => Promise<Response>> = {
    flights: reserveFlight,
    hotels: reserveHotel,
  };
  return serveRoutes(
    Object.fromEntries(
      supplierKinds.flatMap((kind) => [
        [`/${kind}/reservations`, { GET: (c: Context) => ledger(c, kind), POST: reserve[kind] }],
        [`/${kind}/reservations/:key`, { DELETE: (c: Context) => cancel(c, kind) }],
      ]),
    ),
  );
}

const closedToThePublic =
  'Public reservations are switched off (PUBLIC_SUPPLIERS): this is for callers with the token of the suppliers.';

function send(c: Context, member: string, answer: SupplierAnswer): Response {
  if (answer.kind === 'refused') return problem(c, answer.code);
  return sendJson(201, { [member]: answer.number });
}

/**
 * Returns a check for the bearer token that takes the same time for any guess. A caller with a wrong token gets 401 and
 * does not become a public caller: the caller is probably a misconfigured server, which could not cancel its
 * reservations.
 */
export function tokenCheck(token: string | undefined): (c: Context) => boolean {
  return (c) => {
    const bearer = /^bearer(?<token>$| .*)/i.exec(c.req.header('authorization') ?? '');
    if (bearer === null) return false;
    const given = bearer.groups?.token?.trim() ?? '';
    if (token !== undefined && isSameText(given, token)) return true;
    throw unauthorized('The bearer token is not the right one.');
  };
}

export function checked<Schema extends z.ZodType>(
  schema: Schema,
  path: string,
  input: unknown,
): z.output<Schema> {
  const result = check(schema, input);
  if ('value' in result) return result.value;
  throw invalid(path, result.errors[0]?.message ?? 'is not valid');
}

function invalid(path: string, message: string): ProblemError {
  return new ProblemError('invalid', { errors: [{ path, message }] });
}

export function unauthorized(detail: string): ProblemError {
  return new ProblemError('unauthorized', { detail, headers: { 'WWW-Authenticate': 'Bearer' } });
}
