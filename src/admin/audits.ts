import { audit } from '../audit/audit.ts';
import type { AuditedStore } from '../audit/audit-package.ts';
import type { AuditReport } from '../audit/audit-report.ts';
import type { LedgerReader } from '../audit/audit-suppliers.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../observability/log.ts';
import type { AuditParams, Outcome } from './admin-service.ts';
import { LedgerUnavailableError, withTimeouts } from './ledger-timeouts.ts';

export interface AuditsOptions {
  readonly store: AuditedStore;
  readonly clock: Clock;
  readonly log: Log;
  /** The suppliers' ledger; undefined where it does not open. */
  readonly ledger: () => Promise<LedgerReader | undefined>;
}

/** Small enough that a sale beside it does not feel the reading of a page. */
const pageSize = 250;
const pauseMs = 2;

/** Audits beside the sale: one at a time, with a pause before each page. */
export class Audits {
  readonly #options: AuditsOptions;
  #isRunning = false;

  constructor(options: AuditsOptions) {
    this.#options = options;
  }

  async run({ clockSkewMs = 0 }: AuditParams = {}): Promise<Outcome<AuditReport>> {
    if (this.#isRunning) return { kind: 'refused', code: 'audit_running' };
    this.#isRunning = true;
    try {
      return { kind: 'done', value: await this.#audit(clockSkewMs) };
    } catch (error) {
      if (!(error instanceof LedgerUnavailableError)) throw error;
      this.#options.log.warn({ err: error }, "the suppliers' ledger cannot be read: there is no audit");
      return { kind: 'refused', code: 'ledger_unavailable' };
    } finally {
      this.#isRunning = false;
    }
  }

  async #audit(clockSkewMs: number): Promise<AuditReport> {
    const { store, clock, ledger } = this.#options;
    const suppliers = await withTimeouts(ledger, clock, pauseMs);
    return audit(paced(store, clock), {
      ...{ pageSize, clockSkewMs },
      ...(suppliers === undefined ? {} : { suppliers }),
    });
  }
}

/** Where the store is in this process, its reads leave nobody else a turn. */
function paced(store: AuditedStore, clock: Clock): AuditedStore {
  return {
    packages: () => store.packages(),
    package: (id) => store.package(id),
    orders: (ids) => store.orders(ids),
    ordersByKey: (id, keys) => store.ordersByKey(id, keys),
    ordersPage: async (id, cursor, limit) => {
      await clock.sleep(pauseMs);
      return store.ordersPage(id, cursor, limit);
    },
    snapshot: async () => {
      const snapshot = await store.snapshot?.();
      return (
        snapshot && {
          package: (id) => snapshot.package(id),
          ordersByKey: (id, keys) => snapshot.ordersByKey(id, keys),
          ordersPage: async (id, cursor, limit) => {
            await clock.sleep(pauseMs);
            return snapshot.ordersPage(id, cursor, limit);
          },
          close: () => snapshot.close(),
        }
      );
    },
  };
}
