import type { AbortState } from '../lib/abort.ts';
import { defined } from '../lib/defined.ts';
import {
  ledgerBytesMax,
  ledgerPage,
  problem,
  refuseIfForbidden,
  reserved,
  type SupplierReply,
  unexpected,
} from './http-protocol.ts';
import { type ProtocolServer, protocolClient } from './protocol-client.ts';
import type { Refusal, SupplierAnswer, SupplierClient, SupplierKind } from './suppliers.ts';

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
export function httpSuppliers(server: ProtocolServer): SupplierClient {
  const ask = protocolClient(server);

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
      refuseIfForbidden(reply);
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
