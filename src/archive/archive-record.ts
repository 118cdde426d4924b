import type { Order } from '../domain/order.ts';
import type { StoredReservation } from '../storage/archive-store.ts';
import type { OperatorEvent } from '../storage/operator-log.ts';

/** A browser session of an operator that was ended. */
export interface EndedSession {
  readonly id: string;
  /** Unix time in ms. */
  readonly endedAt: number;
}

/** One line of an archive. */
export type ArchiveRecord =
  | { readonly order: Order }
  | { readonly reservation: StoredReservation }
  | { readonly change: OperatorEvent }
  | { readonly session: EndedSession };
