import type { FinalState, Reservation } from './final-state.ts';

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
  const [flights, hotels] = await Promise.all([
    readLedger(`${url}/flights/reservations`, token),
    readLedger(`${url}/hotels/reservations`, token),
  ]);
  return { flights, hotels };
}

interface LedgerPage {
  readonly reservations: readonly Reservation[];
  readonly next?: string;
}

async function readLedger(url: string, token: string | undefined): Promise<Reservation[]> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const read: Reservation[] = [];
  const cursors = new Set<string>();
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const page: string = cursor === '' ? url : `${url}?cursor=${encodeURIComponent(cursor)}`;
    const response = await fetch(page, { headers, signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) throw new Error(`${page} answered ${response.status}: ${await response.text()}`);
    const { reservations, next } = (await response.json()) as LedgerPage;
    for (const { key, number, status } of reservations) read.push({ key, number, status });
    if (next !== undefined && cursors.has(next)) throw new Error(`${url} does not go on after ${next}`);
    if (next !== undefined) cursors.add(next);
    cursor = next;
  }
  return read;
}
