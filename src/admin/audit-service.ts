import { audit } from '../audit/audit.ts';
import type { AuditedStore } from '../audit/audit-package.ts';
import type { AuditReport } from '../audit/audit-report.ts';
import { type LedgerSource, LedgerUnavailableError, openLedger } from '../audit/bounded-reads.ts';
import { type Reconciled, reconcile } from '../audit/reconcile.ts';
import type { Refused } from '../domain/messages.ts';
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

/** Runs audits and reconciliations while packages are on sale, one of each at a time. */
export class AuditService {
  readonly #options: AuditServiceOptions;
  #isRunning = false;
  #isReconciling = false;

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
    const { store, clock } = this.#options;
    try {
      const suppliers = await this.#openLedger();
      const value = await audit(store, { suppliers, clock, pageSize, pauseMs, clockSkewMs });
      return { kind: 'done', value };
    } catch (error) {
      return this.#refusal(error, 'there is no audit');
    } finally {
      this.#isRunning = false;
    }
  }

  /**
   * Compares the orders with the suppliers' ledgers: see {@link reconcile}. Refused with `audit_running` or
   * `ledger_unavailable`. Read the pages at once, and to the end or until `return` is called: until then no other
   * reconciliation can begin. The pages throw StoreUnavailableError and LedgerUnavailableError.
   * @throws StoreUnavailableError
   */
  async reconcile(): Promise<Result<AsyncGenerator<readonly Reconciled[]>>> {
    if (this.#isReconciling) return { kind: 'refused', code: 'audit_running' };
    this.#isReconciling = true;
    try {
      const ledger = await this.#openLedger();
      if (ledger === undefined) throw new LedgerUnavailableError('it demands a token; check SUPPLIERS_TOKEN');
      return { kind: 'done', value: this.#reconciled(ledger) };
    } catch (error) {
      this.#isReconciling = false;
      return this.#refusal(error, 'there is no reconciliation');
    }
  }

  async *#reconciled(ledger: LedgerSource): AsyncGenerator<readonly Reconciled[]> {
    const { store, clock } = this.#options;
    try {
      yield* reconcile(store, ledger, { clock, pageSize, pauseMs });
    } finally {
      this.#isReconciling = false;
    }
  }

  #openLedger(): Promise<LedgerSource | undefined> {
    const { ledger, clock } = this.#options;
    return openLedger(ledger, { clock, pageTimeoutMs: openTimeoutMs });
  }

  /** The refusal because of a ledger that cannot be read. @throws any other error */
  #refusal(error: unknown, consequence: string): Refused {
    if (!(error instanceof LedgerUnavailableError)) throw error;
    this.#options.log.warn({ err: error }, `the suppliers' ledger cannot be read: ${consequence}`);
    return { kind: 'refused', code: 'ledger_unavailable' };
  }
}
