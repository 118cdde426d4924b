import type { Reconciled } from '../../audit/reconcile.ts';
import { currencyOf, type TimelineEvent } from '../../domain/order.ts';
import type { Result } from '../../engine/operated-engine.ts';
import { UnreadableError } from '../../storage/store.ts';
import type { AdminOrder } from '../order-service.ts';
import type { CsvFile, CsvRow } from './send-csv.ts';
import { unwrap } from './unwrap.ts';

/*
 * The files of the exports. Other programs read them: columns are never renamed, moved or removed, and new ones come last.
 * All times are ISO texts in UTC. docs/operating.md describes each column.
 */

const orderColumns = [
  ...(['id', 'packageId', 'number', 'flight', 'stay', 'price', 'currency', 'email'] as const),
  ...(['status', 'reason', 'ticketNumber', 'reservationNumber'] as const),
  ...(['createdAt', 'since', 'confirmedAt'] as const),
  ...(['amount', 'amountCurrency', 'payBy', 'paidAt', 'paymentCancelledAt'] as const),
] as const;
type OrderColumn = (typeof orderColumns)[number];

const reconciliationColumns = [
  ...(['result', 'ledger', 'orderId', 'packageId', 'number', 'status', 'inOrder', 'inLedger'] as const),
] as const;
type ReconciliationColumn = (typeof reconciliationColumns)[number];

/** An order, or the reason why it cannot be read. */
type ExportedOrder = AdminOrder | UnreadableError;

/**
 * The export of orders.
 * @param open begins to read the orders.
 * @param configured the ISO 4217 code of the prices of orders without a payment.
 */
export function ordersFile(
  open: () => AsyncGenerator<readonly ExportedOrder[]>,
  configured: string,
): CsvFile<OrderColumn> {
  return {
    name: 'orders.csv',
    columns: orderColumns,
    open: async () =>
      rowsOf<ExportedOrder, OrderColumn>(open(), (exported) => orderRow(exported, configured)),
  };
}

/**
 * The reconciliation of the orders with the suppliers' ledgers.
 * @param open begins to read. A refusal is thrown as a ProblemError.
 */
export function reconciliationFile(
  open: () => Promise<Result<AsyncGenerator<readonly Reconciled[]>>>,
): CsvFile<ReconciliationColumn> {
  return {
    name: 'reconciliation.csv',
    columns: reconciliationColumns,
    open: async () =>
      rowsOf<Reconciled, ReconciliationColumn>(unwrap(await open()), ({ kind, ...row }) => ({
        result: kind,
        ...row,
      })),
  };
}

async function* rowsOf<Item, Column extends string>(
  pages: AsyncGenerator<readonly Item[]>,
  rowOf: (item: Item) => CsvRow<Column>,
): AsyncGenerator<readonly CsvRow<Column>[]> {
  for await (const items of pages) yield items.map(rowOf);
}

/** An order that cannot be read has only its id, its package, and the status `unreadable`. */
function orderRow(exported: ExportedOrder, configured: string): CsvRow<OrderColumn> {
  if (exported instanceof UnreadableError) {
    const { orderId, packageId } = exported.subject;
    return { id: orderId, packageId, status: 'unreadable' };
  }
  const { order, since } = exported;
  const { id, packageId, number, email, status, reason, createdAt, timeline, payment } = order;
  const timeOf = (wanted: TimelineEvent) => iso(timeline.find(({ event }) => event === wanted)?.at);
  return {
    ...{
      id,
      packageId,
      number,
      ...order.package,
      currency: currencyOf(order, configured),
      email,
      status,
      reason,
    },
    ticketNumber: order.flight?.ticketNumber,
    reservationNumber: order.hotel?.reservationNumber,
    createdAt: iso(createdAt),
    since: iso(since),
    confirmedAt: timeOf('confirmed'),
    amount: payment?.amount,
    amountCurrency: payment?.currency,
    payBy: iso(payment?.payBy),
    paidAt: timeOf('paid'),
    paymentCancelledAt: timeOf('payment cancelled'),
  };
}

/** Empty for a time that no calendar has: a damaged order must not end the export of all others. */
function iso(at: number | undefined): string | undefined {
  const date = new Date(at ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
