import { audit } from '../booking/audit.ts';
import type { AuditedStore } from '../booking/audit-package.ts';
import type { LedgerReader } from '../booking/audit-suppliers.ts';
import type { AuditReport } from '../ports/audit-report.ts';
import type { Clock } from '../ports/clock.ts';
import type { AuditWish, Outcome } from '../ports/operations.ts';

export interface AuditsOptions {
  readonly store: AuditedStore;
  readonly clock: Clock;
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

  async run({ clockSkewMs = 0 }: AuditWish = {}): Promise<Outcome<AuditReport>> {
    if (this.#isRunning) return { kind: 'refused', code: 'audit_running' };
    this.#isRunning = true;
    try {
      const { store, clock, ledger } = this.#options;
      const suppliers = await ledger();
      const value = await audit(paced(store, clock), {
        ...{ pageSize, clockSkewMs },
        ...(suppliers === undefined ? {} : { suppliers: pacedLedger(suppliers, clock) }),
      });
      return { kind: 'done', value };
    } finally {
      this.#isRunning = false;
    }
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

function pacedLedger(reader: LedgerReader, clock: Clock): LedgerReader {
  return {
    ledger: async (kind, cursor, signal) => {
      await clock.sleep(pauseMs);
      return reader.ledger(kind, cursor, signal);
    },
  };
}
