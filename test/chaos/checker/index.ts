import { checkHistory } from './check-history.ts';
import type { Findings } from './findings.ts';
import { readHistory } from './read-history.ts';
import { readLedgers, readPayments } from './read-ledger.ts';
import { readStore } from './read-store.ts';

export { checkHistory } from './check-history.ts';
export type { FinalState, Reservation, StoredOrder, StoredPackage } from './final-state.ts';
export type { Findings, Violation } from './findings.ts';
export { readHistory } from './read-history.ts';

export interface CheckOptions {
  /** The file of the history, with one `HistoryEntry` as JSON in each line. */
  readonly historyFile: string;
  /** The same value as the server's `DATABASE_URL`. */
  readonly mongoUrl: string;
  /** The same value as the server's `SUPPLIERS_URL`, such as `http://127.0.0.1:8890/api/suppliers`. */
  readonly suppliersUrl: string;
  readonly suppliersToken?: string;
  /** The same value as the server's `PAYMENTS`. Absent if payments are off. */
  readonly paymentsUrl?: string;
  /** The same value as the server's `WAITERS_PER_UNIT`. Without it, a queue with one order counts as full. */
  readonly waitersPerUnit?: number;
  /** Rules that the server's engine does not promise. Their violations are not reported. Default: none. */
  readonly notPromised?: readonly string[];
}

/**
 * Checks a finished run. No purchases may be in progress, all faults must be healed, and all orders must have had time
 * to become final.
 * @throws Error when the history, the store or the suppliers cannot be read.
 */
export async function checkRun(options: CheckOptions): Promise<Findings> {
  const { historyFile, mongoUrl, suppliersUrl, suppliersToken, paymentsUrl, waitersPerUnit, notPromised } =
    options;
  const [stored, reserved, payments] = await Promise.all([
    readStore(mongoUrl),
    readLedgers(suppliersUrl, suppliersToken),
    paymentsUrl === undefined ? undefined : readPayments(paymentsUrl),
  ]);
  const state = {
    ...{ ...stored, ...reserved },
    ...(payments === undefined ? {} : { payments }),
    ...(waitersPerUnit === undefined ? {} : { waitersPerUnit }),
  };
  return checkHistory(readHistory(historyFile), state, notPromised);
}
