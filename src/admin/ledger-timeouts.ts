import type { LedgerReader } from '../audit/audit-suppliers.ts';
import type { Clock } from '../lib/clock.ts';
import { StoreUnavailableError } from '../storage/store.ts';

/** The suppliers' ledger should open, and does not. */
export class LedgerUnavailableError extends Error {
  override readonly name = 'LedgerUnavailableError';
}

/** Until then whoever asked for the audit has not been answered, and can be told. */
const openMs = 4_000;
/** A supplier that hangs shall not keep every audit to come from beginning. */
const pageMs = 30_000;

/**
 * Opens the suppliers' ledger for an audit, with a pause before each page. It is read from at once: an audit may take
 * minutes to get that far, and its answer has long begun then. Undefined where the suppliers do not open it.
 *
 * @throws LedgerUnavailableError here and from each page, but StoreUnavailableError for a ledger that is in the store.
 */
export async function withTimeouts(
  open: () => Promise<LedgerReader | undefined>,
  clock: Clock,
  pauseMs: number,
): Promise<LedgerReader | undefined> {
  const reader = await inTime(clock, openMs, async (signal) => {
    const opened = await open();
    await opened?.ledger('flights', undefined, signal);
    return opened;
  });
  if (reader === undefined) return undefined;
  return {
    ledger: async (kind, cursor) => {
      await clock.sleep(pauseMs);
      const page = await inTime(clock, pageMs, (signal) => reader.ledger(kind, cursor, signal));
      if (page.next === undefined || page.next !== cursor) return page;
      throw new LedgerUnavailableError(`the ledger of ${kind} does not go on after ${cursor}`);
    },
  };
}

/** @throws LedgerUnavailableError with what was wrong as its cause, or when it takes too long: then it is told to stop. */
async function inTime<T>(clock: Clock, ms: number, read: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const isOver = new AbortController();
  const deadline = clock.sleep(ms, isOver.signal).then(() => {
    const error = new Error(`no answer within ${ms} ms`);
    if (!isOver.signal.aborted) late.abort(error);
    throw error;
  });
  try {
    return await Promise.race([read(late.signal), deadline]);
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw error;
    throw new LedgerUnavailableError("the suppliers' ledger cannot be read", { cause: error });
  } finally {
    deadline.catch(() => {});
    isOver.abort();
  }
}
