import { type AbortState, abortSignalOf } from '../lib/abort.ts';
import { defined } from '../lib/defined.ts';
import type { Tracing } from '../observability/tracing.ts';
import {
  anyProblem,
  causeOf,
  ledgerPage,
  problem,
  read,
  reserved,
  type SupplierReply,
} from './http-protocol.ts';
import {
  LedgerForbiddenError,
  type Refusal,
  type SupplierAnswer,
  type SupplierClient,
  type SupplierKind,
} from './suppliers.ts';

export interface HttpSuppliersOptions {
  /** The base URL of the protocol, for example `http://127.0.0.1:8890/api/suppliers`. */
  readonly url: string;
  /** Sent as a bearer token. */
  readonly token?: string;
  readonly tracing?: Tracing;
}

const answerBytesMax = 64 * 1024;
const ledgerBytesMax = 8 * 1024 * 1024;

/** The refusals that each kind of supplier may give, with their HTTP status. */
const refusals: Readonly<Record<SupplierKind, Readonly<Partial<Record<Refusal, number>>>>> = {
  flights: { flight_unavailable: 409, cancelled: 409 },
  hotels: { hotel_unavailable: 409, invalid_ticket: 422, cancelled: 409 },
};

/**
 * The client of the supplier protocol, over HTTP with persistent connections.
 *
 * An answer that the protocol does not define throws, because a reservation may or may not exist then. The error's
 * message names the problem. Emails are sent in bodies only, and no error message repeats a body.
 * @throws TypeError if the URL is invalid.
 */
export function httpSuppliers({ url, token, tracing }: HttpSuppliersOptions): SupplierClient {
  const base = new URL(`${url.replace(/\/+$/, '')}/`);
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };

  async function ask(
    path: string,
    init: RequestInit,
    state: AbortState | undefined,
    bytesMax = answerBytesMax,
  ): Promise<SupplierReply> {
    const traceparent = tracing?.current();
    const headers = {
      accept: 'application/json',
      ...authorization,
      ...(traceparent === undefined ? {} : { traceparent }),
      ...init.headers,
    };
    try {
      // A redirect would send the email to a server that nobody has configured.
      const signal = state && abortSignalOf(state);
      const response = await fetch(new URL(path, base), {
        ...{ ...init, headers, redirect: 'error' },
        ...defined({ signal }),
      });
      return await read(response, bytesMax);
    } catch (error) {
      throw new Error(`${init.method} ${path.split(/[/?]/, 1)[0]}: ${causeOf(error)}`, { cause: error });
    }
  }

  async function reserve(
    kind: SupplierKind,
    key: string,
    body: object,
    signal: AbortState | undefined,
  ): Promise<SupplierAnswer> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    const reply = await ask(`${kind}/reservations`, init, signal);
    return answerOf(kind, reply);
  }

  return {
    reserveFlight: ({ key, packageId, flight, email }, signal) =>
      reserve('flights', key, { packageId, flight, email }, signal),

    reserveHotel: ({ key, packageId, stay, email, flightTicketNumber }, signal) =>
      reserve('hotels', key, { packageId, stay, email, flightTicketNumber }, signal),

    async cancel(kind, key, signal) {
      const path = `${kind}/reservations/${encodeURIComponent(key)}`;
      const reply = await ask(path, { method: 'DELETE' }, signal);
      if (reply.status !== 204) throw unexpected(kind, reply);
    },

    async ledger(kind, cursor, signal) {
      const query = cursor === undefined ? '' : `?cursor=${encodeURIComponent(cursor)}`;
      const path = `${kind}/reservations${query}`;
      const reply = await ask(path, { method: 'GET' }, signal, ledgerBytesMax);
      if (reply.status === 401 || reply.status === 403) {
        throw new LedgerForbiddenError(`the token is refused (status ${reply.status})`);
      }
      const page = reply.status === 200 ? ledgerPage.safeParse(reply.json) : undefined;
      if (page === undefined) throw unexpected(kind, reply);
      if (!page.success) throw new Error(`${kind}: a malformed ledger page, status ${reply.status}`);
      const { reservations, next } = page.data;
      return defined({ items: reservations, next });
    },
  };
}

function answerOf(kind: SupplierKind, reply: SupplierReply): SupplierAnswer {
  if (reply.status === 201) {
    const parsed = reserved[kind].safeParse(reply.json);
    if (parsed.success) return { kind: 'reserved', number: parsed.data };
  }
  const code = problem.safeParse(reply.json).data?.code;
  if (code !== undefined && reply.status === refusals[kind][code]) return { kind: 'refused', code };
  throw unexpected(kind, reply);
}

function unexpected(kind: SupplierKind, { status, json }: SupplierReply): Error {
  const code = anyProblem.safeParse(json).data?.code;
  return new Error(`${kind}: an answer outside the protocol, status ${status}${code ? ` ${code}` : ''}`);
}
