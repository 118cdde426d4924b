import type { Clock } from '../lib/clock.ts';
import { TimeoutError, withTimeout } from '../lib/deadline.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import { LedgerForbiddenError, type SupplierClient } from '../suppliers/suppliers.ts';
import type { AuditedStore } from './audit-package.ts';

/** The suppliers' ledger cannot be read. The message says why. */
export class LedgerUnavailableError extends Error {
  override readonly name = 'LedgerUnavailableError';

  constructor(reason: string, options: ErrorOptions & { readonly origin?: string | undefined } = {}) {
    const place = options.origin === undefined ? '' : ` at ${options.origin}`;
    super(`the suppliers' ledger${place} cannot be read: ${reason}`, options);
  }
}

export type LedgerReader = Pick<SupplierClient, 'ledger'>;

/** The configured ledger of the suppliers. */
export interface LedgerSource extends LedgerReader {
  /** The address of the ledger for messages, for example `http://127.0.0.1:8890`. */
  readonly origin?: string;
  /** True if no token is configured. The audit then leaves out a ledger that demands a token. */
  readonly isOptional?: boolean;
}

export interface ReadLimits {
  /** How long one page may take; default 30,000 ms. */
  readonly pageTimeoutMs?: number;
  /** Pause before each page, so that an audit leaves room for a sale in the same process; default none. */
  readonly pauseMs?: number;
  /** The clock for timeouts and pauses. Default: the machine's timers. Required if `pauseMs` is set. */
  readonly clock?: Clock;
}

const pageTimeoutDefaultMs = 30_000;

/**
 * Reads the first page of the ledger, so that an unreadable ledger is noticed early. Undefined if the source is
 * optional and demands a token.
 * @throws LedgerUnavailableError; StoreUnavailableError for a ledger inside the store.
 */
export async function openLedger(
  source: LedgerSource,
  limits: ReadLimits,
): Promise<LedgerSource | undefined> {
  try {
    await boundedLedger(source, limits).ledger('flights');
    return source;
  } catch (error) {
    const isClosed = error instanceof Error && error.cause instanceof LedgerForbiddenError;
    if (isClosed && source.isOptional === true) return undefined;
    throw error;
  }
}

/** Wraps a ledger with a time limit for each page and a pause before it. Each page may throw LedgerUnavailableError. */
export function boundedLedger(reader: LedgerSource, limits: ReadLimits): LedgerReader {
  const { pageTimeoutMs: ms = pageTimeoutDefaultMs, clock } = limits;
  return {
    async ledger(kind, cursor) {
      await pause(limits);
      try {
        return await withTimeout({ ms, ...(clock && { clock }) }, (signal) =>
          reader.ledger(kind, cursor, signal),
        );
      } catch (error) {
        if (error instanceof StoreUnavailableError) throw error;
        throw new LedgerUnavailableError(reasonOf(error, ms), { cause: error, origin: reader.origin });
      }
    },
  };
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof TimeoutError) return `no answer within ${timeoutMs / 1_000} s`;
  if (error instanceof LedgerForbiddenError) return `${error.message}; check SUPPLIERS_TOKEN`;
  const code = networkCodeOf(error);
  if (code !== undefined) return `${networkErrors[code] ?? 'the connection failed'} (${code})`;
  return error instanceof Error ? error.message : String(error);
}

const networkErrors: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection is refused',
  ENOTFOUND: 'the host is unknown',
};

/** The code of the network error that caused an error, for example `ECONNREFUSED`. */
function networkCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  return /^E[A-Z]+$/.test(code ?? '') ? code : networkCodeOf(error.cause);
}

/**
 * Wraps a store with a time limit for each read and a pause before each page. Each read may throw
 * StoreUnavailableError.
 */
export function boundedStore(store: AuditedStore, limits: ReadLimits): AuditedStore {
  const { pageTimeoutMs: ms = pageTimeoutDefaultMs, clock } = limits;
  const late = () => new StoreUnavailableError(`the store did not answer within ${ms / 1_000} s`);
  const bounded =
    <Parameters extends unknown[], Value>(read: (...parameters: Parameters) => Promise<Value>) =>
    (...parameters: Parameters) =>
      withTimeout({ ms, late, ...(clock && { clock }) }, () => read(...parameters));
  const reads = (from: Pick<AuditedStore, 'package' | 'archivedCounts' | 'ordersByKey' | 'ordersPage'>) => ({
    package: bounded((id: number) => from.package(id)),
    archivedCounts: bounded((id: number) => from.archivedCounts(id)),
    ordersByKey: bounded((id: number, keys: readonly string[]) => from.ordersByKey(id, keys)),
    ordersPage: async (id: number, cursor: string | undefined, limit: number) => {
      await pause(limits);
      return bounded(() => from.ordersPage(id, cursor, limit))();
    },
  });
  return {
    ...reads(store),
    packagesPage: async (cursor: string | undefined, limit: number) => {
      await pause(limits);
      return bounded(() => store.packagesPage(cursor, limit))();
    },
    unreadable: () => store.unreadable(),
    order: bounded((id: string) => store.order(id)),
    orders: bounded((ids: readonly string[]) => store.orders(ids)),
    archivedIds: bounded((ids: readonly string[]) => store.archivedIds(ids)),
    packageWithOrdersAbove: bounded((id: number) => store.packageWithOrdersAbove(id)),
    snapshot: async () => {
      const snapshot = await bounded(async () => store.snapshot?.())();
      return snapshot && { ...reads(snapshot), close: () => snapshot.close() };
    },
  };
}

async function pause({ pauseMs = 0, clock }: ReadLimits): Promise<void> {
  if (pauseMs > 0) await clock?.sleep(pauseMs);
}
