import type { AbortState } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { TimeoutError, withTimeout } from '../lib/deadline.ts';
import { defined } from '../lib/defined.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import { LedgerForbiddenError, type PaymentClient, type SupplierClient } from '../suppliers/suppliers.ts';
import type { AuditedStore } from './audit-package.ts';

/** A ledger of the suppliers or the payment provider cannot be read. The message says why. */
export class LedgerUnavailableError extends Error {
  override readonly name = 'LedgerUnavailableError';

  /** @param options.whose whose ledger it is; default: the suppliers'. */
  constructor(
    reason: string,
    options: ErrorOptions & { readonly origin?: string | undefined; readonly whose?: string } = {},
  ) {
    const place = options.origin === undefined ? '' : ` at ${options.origin}`;
    super(`${options.whose ?? "the suppliers'"} ledger${place} cannot be read: ${reason}`, options);
  }
}

/**
 * Reads ledgers. `payments`: that of the payment provider; absent if there is none, or it cannot be read. `provider`: the
 * provider's name.
 */
export type LedgerReader = Pick<SupplierClient, 'ledger'> &
  Partial<Pick<PaymentClient, 'payments' | 'provider'>>;

/** The configured ledgers of the suppliers and the payment provider. */
export interface LedgerSource extends LedgerReader {
  /** The address of the payment provider's ledger, for messages. */
  readonly paymentsOrigin?: string;
  /** True if no token of the payment provider is configured: its ledger is left out if it demands one. */
  readonly arePaymentsOptional?: boolean;
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
 * Reads the first page of each ledger, so that an unreadable ledger is noticed early. Undefined if the suppliers' ledger
 * is optional and demands a token. Without `payments` if that ledger is optional and demands a token.
 * @throws LedgerUnavailableError; StoreUnavailableError for a ledger inside the store.
 */
export async function openLedger(
  source: LedgerSource,
  limits: ReadLimits,
): Promise<LedgerSource | undefined> {
  try {
    await boundedLedger(source, limits).ledger('flights');
  } catch (error) {
    if (isClosed(error) && source.isOptional === true) return undefined;
    throw error;
  }
  try {
    await boundedLedger(source, limits).payments?.();
    return source;
  } catch (error) {
    if (!isClosed(error) || source.arePaymentsOptional !== true) throw error;
    const { payments: _, ...others } = source;
    return others;
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof LedgerForbiddenError;
}

/** Wraps ledgers with a time limit for each page and a pause before it. Each page may throw LedgerUnavailableError. */
export function boundedLedger(reader: LedgerSource, limits: ReadLimits): LedgerReader {
  const { pageTimeoutMs: ms = pageTimeoutDefaultMs, clock } = limits;

  async function bounded<T>(
    read: (signal: AbortState) => Promise<T>,
    { token, ...place }: { readonly token: string; readonly origin?: string | undefined; whose?: string },
  ): Promise<T> {
    await pause(limits);
    try {
      return await withTimeout({ ms, ...(clock && { clock }) }, read);
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
      throw new LedgerUnavailableError(reasonOf(error, ms, token), { cause: error, ...place });
    }
  }

  const { payments, origin, paymentsOrigin } = reader;
  const named = defined({ provider: reader.provider });
  const suppliers = { token: 'SUPPLIERS_TOKEN', origin };
  const provider = { token: 'PAYMENTS_TOKEN', origin: paymentsOrigin, whose: "the payment provider's" };
  return {
    ...named,
    ledger: (kind, cursor) => bounded((signal) => reader.ledger(kind, cursor, signal), suppliers),
    ...(payments && {
      payments: (cursor) => bounded((signal) => payments(cursor, signal), provider),
    }),
  };
}

function reasonOf(error: unknown, timeoutMs: number, token: string): string {
  if (error instanceof TimeoutError) return `no answer within ${timeoutMs / 1_000} s`;
  if (error instanceof LedgerForbiddenError) return `${error.message}; check ${token}`;
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
