import { audit } from '../audit/audit.ts';
import type { AuditedStore } from '../audit/audit-package.ts';
import type { AuditReport } from '../audit/audit-report.ts';
import { type LedgerSource, LedgerUnavailableError, openLedger } from '../audit/bounded-reads.ts';
import type { Result } from '../engine/operated-engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../observability/log.ts';

export interface AuditServiceOptions {
  readonly store: AuditedStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: LedgerSource;
}

export interface AuditParams {
  /** How far the clocks of instances may be apart before a claim counts as unfair, in ms; default 0. */
  readonly clockSkewMs?: number;
}

/** Small pages, with a pause after each, so that an audit does not slow down a sale in the same process. */
const pageSize = 250;
const pauseMs = 2;
/** Shorter than the delay of `api/slow-json.ts`, so an error can still set the status of the response. */
const openTimeoutMs = 4_000;

/** Runs audits while packages are on sale, one audit at a time. */
export class AuditService {
  readonly #options: AuditServiceOptions;
  #isRunning = false;

  constructor(options: AuditServiceOptions) {
    this.#options = options;
  }

  /**
   * Checks everything stored against the promises, as `npm run audit` does. Refused with `audit_running` or
   * `ledger_unavailable`.
   * @throws StoreUnavailableError
   */
  async run({ clockSkewMs = 0 }: AuditParams = {}): Promise<Result<AuditReport>> {
    if (this.#isRunning) return { kind: 'refused', code: 'audit_running' };
    this.#isRunning = true;
    const { store, clock, log, ledger } = this.#options;
    try {
      const suppliers = await openLedger(ledger, { clock, pageTimeoutMs: openTimeoutMs });
      const value = await audit(store, { suppliers, clock, pageSize, pauseMs, clockSkewMs });
      return { kind: 'done', value };
    } catch (error) {
      if (!(error instanceof LedgerUnavailableError)) throw error;
      log.warn({ err: error }, "the suppliers' ledger cannot be read: there is no audit");
      return { kind: 'refused', code: 'ledger_unavailable' };
    } finally {
      this.#isRunning = false;
    }
  }
}
