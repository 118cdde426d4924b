/** The rules of SPEC.md that an audit can check. */
export type AuditedRule = 'Q1' | 'Q3' | 'Q5' | 'Q6' | 'Q7' | 'Q8' | 'Q11';

/** A promise that was certainly broken. */
export interface Finding {
  readonly rule: AuditedRule;
  readonly packageId?: number;
  readonly orderId?: string;
  readonly message: string;
}

export interface AuditReport {
  /** True if there are no findings. */
  readonly ok: boolean;
  readonly packages: number;
  readonly orders: number;
  /** Number of active reservations at the suppliers, except public ones. */
  readonly reservations: number;
  /** Number of active reservations made without the suppliers' token. They belong to no order. */
  readonly publicReservations: number;
  /** Number of payments that are due or paid. Absent if the payment provider's ledger was not read. */
  readonly payments?: number;
  /**
   * Number of orders whose payments are at another provider than the one that is configured, so nothing was compared.
   * Absent if there are none.
   */
  readonly paymentsElsewhere?: number;
  /** Whether the suppliers' ledger was read and checked against the orders. */
  readonly suppliersRead: boolean;
  /**
   * Ids of packages that were not checked, because they changed during every read. Empty for a store with snapshots.
   */
  readonly inMotion: readonly number[];
  readonly findings: readonly Finding[];
}
