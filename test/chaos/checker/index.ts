import type { Findings } from './findings.ts';
import { judge } from './judge.ts';
import { readHistory } from './read-history.ts';
import { readLedgers } from './read-ledger.ts';
import { readStore } from './read-store.ts';

export type { FinalState, Reservation, StoredOrder, StoredPackage } from './final-state.ts';
export type { Findings, Violation } from './findings.ts';
export { judge } from './judge.ts';
export { readHistory } from './read-history.ts';

export interface CheckOptions {
  /** JSON lines of `HistoryEntry`. */
  readonly historyFile: string;
  /** As the server's `DATABASE_URL`. */
  readonly mongoUrl: string;
  /** As the server's `SUPPLIERS_URL`: `http://127.0.0.1:8890/api/suppliers`. */
  readonly suppliersUrl: string;
  readonly suppliersToken?: string;
  /** As the server's `WAITERS_PER_UNIT`; without it, a full line is one in which anybody waits. */
  readonly waitersPerUnit?: number;
}

/**
 * Checks a run that is over: nobody buys any more, all faults are mended, and everything that began has had the time
 * to end.
 * @throws Error when the history, the store or the suppliers cannot be read.
 */
export async function checkRun(options: CheckOptions): Promise<Findings> {
  const { historyFile, mongoUrl, suppliersUrl, suppliersToken, waitersPerUnit } = options;
  const [stored, reserved] = await Promise.all([
    readStore(mongoUrl),
    readLedgers(suppliersUrl, suppliersToken),
  ]);
  const state = { ...stored, ...reserved, ...(waitersPerUnit === undefined ? {} : { waitersPerUnit }) };
  return judge(readHistory(historyFile), state);
}
