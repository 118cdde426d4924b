/** The rules of SPEC.md that an audit can check. */
export type AuditedRule = 'Q1' | 'Q3' | 'Q5' | 'Q7' | 'Q8';

/** A promise that was certainly broken. */
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
  /** Active reservations at the suppliers, except public ones. */
  readonly reservations: number;
  /** Active reservations that callers without the suppliers' token made. No order owns them. */
  readonly publicReservations: number;
  /** Whether the suppliers' ledger was read and checked against the orders. */
  readonly suppliersRead: boolean;
  /** Packages of a store without snapshots that changed whenever they were read. They were not checked. */
  readonly inMotion: readonly number[];
  readonly findings: readonly Finding[];
}
