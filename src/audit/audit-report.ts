/** Rules of SPEC.md that an audit can judge. */
export type AuditedRule = 'Q1' | 'Q3' | 'Q5' | 'Q7' | 'Q8';

/** A promise that was broken, for certain. */
export interface Finding {
  readonly rule: AuditedRule;
  readonly packageId?: number;
  readonly orderId?: string;
  readonly message: string;
}

export interface AuditReport {
  /** No findings. */
  readonly ok: boolean;
  readonly packages: number;
  readonly orders: number;
  /** Active reservations at the suppliers, without those of the public. */
  readonly reservations: number;
  /** Active reservations that callers without the suppliers' token made for themselves: no order owns them. */
  readonly publicReservations: number;
  /** Whether the suppliers' ledger could be held against the orders. */
  readonly suppliersRead: boolean;
  /** Packages that changed whenever they were read, from a store without snapshots: their orders were not judged. */
  readonly inMotion: readonly number[];
  readonly findings: readonly Finding[];
}
