import type { FinalState, Payment, Reservation } from './final-state.ts';

/** Timeout for one answer of a supplier. The run is over, so no fault delays it. */
const timeoutMs = 30_000;

/**
 * Reads both suppliers' ledgers page by page.
 * @param url as in the server's `SUPPLIERS_URL`
 * @throws Error when a page is missing or invalid.
 */
export async function readLedgers(
  url: string,
  token: string | undefined,
): Promise<Pick<FinalState, 'flights' | 'hotels'>> {
  const read = (kind: string) =>
    readLedger<Reservation>(`${url}/${kind}/reservations`, 'reservations', token, reservationFrom);
  const [flights, hotels] = await Promise.all([read('flights'), read('hotels')]);
  return { flights, hotels };
}

/**
 * Reads the payment provider's ledger page by page.
 * @param url as in the server's `PAYMENTS`
 * @throws Error when a page is missing or invalid.
 */
export function readPayments(url: string, token?: string): Promise<readonly Payment[]> {
  return readLedger<Payment>(`${url}/payments`, 'payments', token, paymentFrom);
}

function reservationFrom({ key, number, status }: Reservation): Reservation {
  return { key, number, status };
}

function paymentFrom({ key, status, amount, currency }: Payment): Payment {
  return { key, status, amount, currency };
}

/** @param list the member of a page with its entries */
async function readLedger<Entry>(
  url: string,
  list: string,
  token: string | undefined,
  entryFrom: (entry: Entry) => Entry,
): Promise<Entry[]> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const read: Entry[] = [];
  const cursors = new Set<string>();
  for (let cursor = ''; ; ) {
    const page = cursor === '' ? url : `${url}?cursor=${encodeURIComponent(cursor)}`;
    const response = await fetch(page, { headers, signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) throw new Error(`${page} answered ${response.status}: ${await response.text()}`);
    const { [list]: entries, next } = (await response.json()) as Readonly<Record<string, unknown>>;
    for (const entry of entries as readonly Entry[]) read.push(entryFrom(entry));
    if (next === undefined) return read;
    cursor = String(next);
    if (cursors.has(cursor)) throw new Error(`${url} does not go on after ${cursor}`);
    cursors.add(cursor);
  }
}
