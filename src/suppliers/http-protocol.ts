import { z } from 'zod';
import { LedgerForbiddenError, type PartnerKind } from './suppliers.ts';

/** Ticket and reservation numbers are shown on pages, so they are short and printable. */
const number = z.string().regex(/^[\x21-\x7e]{1,64}$/);

/** The body of a 201 answer: the number of the reservation. */
export const reserved = {
  flights: z.object({ ticketNumber: number }).transform(({ ticketNumber }) => ticketNumber),
  hotels: z.object({ reservationNumber: number }).transform(({ reservationNumber }) => reservationNumber),
};

/** A refusal: the part of a problem (RFC 9457) that the protocol defines. */
export const problem = z.object({
  code: z.enum(['flight_unavailable', 'hotel_unavailable', 'invalid_ticket', 'payment_refused', 'cancelled']),
});

/** The code of any problem, for an error message. */
const anyProblem = z.object({ code: z.string().regex(/^[a-z_]{1,40}$/) });

export const ledgerPage = z.object({
  reservations: z.array(
    z.object({
      key: z.string().min(1).max(300),
      number,
      status: z.enum(['active', 'cancelled']),
    }),
  ),
  next: z.string().min(1).max(1000).optional(),
});

/** The longest page of a ledger, in bytes. */
export const ledgerBytesMax = 8 * 1024 * 1024;

/** A supplier's complete answer. */
export interface SupplierReply {
  readonly status: number;
  /** The parsed body; undefined if the body is empty. */
  readonly json: unknown;
}

/**
 * Reads an answer's body as JSON.
 * @throws Error if the body is longer than `bytesMax`, cut off, not JSON, or has another content type.
 */
export async function read(response: Response, bytesMax: number): Promise<SupplierReply> {
  const { status } = response;
  const bytes = await readBytes(response, bytesMax);
  if (bytes.length === 0) return { status, json: undefined };
  // A gateway in between may answer with HTML, so only its status is used.
  if (status >= 500) return { status, json: undefined };
  const type = response.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? 'none';
  if (!/^application\/(\S+\+)?json$/.test(type)) {
    throw new Error(`status ${status} with the content type ${type.slice(0, 60)} instead of JSON`);
  }
  try {
    return { status, json: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    throw new Error(`status ${status} with a body that is not JSON`);
  }
}

async function readBytes({ body, status }: Response, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > bytesMax) throw new Error(`status ${status} with a body of more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * The reason of a failure. The message of `fetch` says only that the request failed; the error's cause has the reason.
 */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const below = error.cause instanceof Error ? error.cause : undefined;
  const code = (below as NodeJS.ErrnoException | undefined)?.code;
  const reason = code ?? below?.message;
  return reason ? `${error.message} (${reason})` : error.message;
}

/** @throws LedgerForbiddenError if the ledger is shown only with another token. */
export function refuseIfForbidden({ status }: SupplierReply): void {
  if (status !== 401 && status !== 403) return;
  throw new LedgerForbiddenError(`the token is refused (status ${status})`);
}

/** The error for an answer that the protocol does not define. */
export function unexpected(kind: PartnerKind, { status, json }: SupplierReply): Error {
  const code = anyProblem.safeParse(json).data?.code;
  return new Error(`${kind}: an answer outside the protocol, status ${status}${code ? ` ${code}` : ''}`);
}
