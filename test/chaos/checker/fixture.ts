import type { EraseEntry, HistoryEntry, PurchaseEntry, SeenOrder, UpdateEntry } from '../history.ts';
import { checkHistory } from './check-history.ts';
import type { FinalState, StoredOrder, StoredPackage } from './final-state.ts';
import type { Violation } from './findings.ts';

/** The status of an order after each event. */
const statusAfter: Readonly<Record<string, string>> = {
  queued: 'queued',
  claimed: 'held',
  'payment due': 'payable',
  confirmed: 'confirmed',
  compensating: 'compensating',
  failed: 'failed',
  'cancel requested': 'cancelling',
  cancelled: 'cancelled',
  withdrawn: 'withdrawn',
  'sold out': 'rejected',
};

/** An order of package 1 with these events: `['claimed', 10], ['confirmed', 20]`. */
export function order(
  number: number,
  events: readonly (readonly [event: string, at: number])[],
  over: Partial<StoredOrder> = {},
): StoredOrder {
  const names = events.map(([event]) => event);
  const last = names.findLast((event) => event in statusAfter) ?? '';
  return {
    id: `ID-${number}`,
    packageId: 1,
    number,
    email: `buyer-${number}@example.com`,
    key: `key-${number}`,
    status: statusAfter[last] ?? last,
    ...(names.includes('confirmed') || names.includes('payment due')
      ? { ticketNumber: `F${number}`, reservationNumber: `H${number}` }
      : {}),
    timeline: events.map(([event, at]) => ({ event, at })),
    ...over,
  };
}

/** An order that was confirmed within ten milliseconds. */
export function confirmed(number: number, at: number, over: Partial<StoredOrder> = {}): StoredOrder {
  const events = ['claimed', 'flight reserved', 'hotel reserved', 'confirmed'];
  return order(
    number,
    events.map((event, index) => [event, at + index * 3]),
    over,
  );
}

/** The correct final state for these orders. */
export function stateOf(
  quota: number,
  orders: readonly StoredOrder[],
  over: Partial<StoredPackage> = {},
): FinalState {
  const count = (...statuses: string[]) => orders.filter(({ status }) => statuses.includes(status)).length;
  const [held, sold] = [count('held', 'payable', 'compensating'), count('confirmed', 'cancelling')];
  const bought = orders.filter(({ ticketNumber }) => ticketNumber !== undefined);
  const reserved = (numberOf: (order: StoredOrder) => string | undefined) =>
    bought.map((each) => ({
      key: each.id,
      number: numberOf(each) ?? '',
      status: each.status === 'confirmed' || each.status === 'payable' ? 'active' : 'cancelled',
    }));
  const onSale = {
    ...{ id: 1, price: 0, quota, version: 1, isPaused: false },
    ...{ remaining: quota - held - sold, held, confirmed: sold },
    ...{ cancelling: count('cancelling'), waiting: count('queued'), nextNumber: orders.length + 1 },
  };
  return {
    packages: [{ ...onSale, ...over }],
    orders,
    flights: reserved(({ ticketNumber }) => ticketNumber),
    hotels: reserved(({ reservationNumber }) => reservationNumber),
  };
}

export function seen(stored: StoredOrder, status = stored.status): SeenOrder {
  const { id, packageId, email, reason, ticketNumber, reservationNumber, payBy } = stored;
  const hasTickets = (status === 'confirmed' || status === 'payable') && ticketNumber !== undefined;
  const hasFailed = status === 'failed' || status === 'compensating';
  return {
    ...{ id, packageId, email, status },
    ...(hasTickets ? { ticketNumber, reservationNumber } : {}),
    ...(reason !== undefined && hasFailed ? { reason } : {}),
    ...(status === 'payable' ? { paymentUrl: `http://127.0.0.1:2/checkout/${id}`, payBy } : {}),
  } as SeenOrder;
}

/** The answer to a purchase by the status of its order. */
const answers: Readonly<Record<string, { readonly status: number; readonly code?: string }>> = {
  confirmed: { status: 201 },
  queued: { status: 202 },
  held: { status: 202 },
  payable: { status: 202 },
  cancelling: { status: 202 },
  cancelled: { status: 200 },
  withdrawn: { status: 200 },
  failed: { status: 502, code: 'supplier_failed' },
  compensating: { status: 502, code: 'supplier_failed' },
  rejected: { status: 409, code: 'sold_out' },
};

/** The purchase of a stored order, answered when the order had this status. */
export function purchase(
  stored: StoredOrder,
  sentAt: number,
  endedAt: number,
  status = stored.status,
): PurchaseEntry {
  return {
    ...unanswered(stored, sentAt, endedAt),
    ...(outcomeOf(stored, status) ?? answers[status]),
    order: seen(stored, status),
  };
}

/** The answer to the purchase of an order that failed because it was not paid. */
function outcomeOf({ reason }: StoredOrder, status: string): (typeof answers)[string] | undefined {
  if (status !== 'failed' && status !== 'compensating') return undefined;
  if (reason === 'payment_abandoned') return { status: status === 'failed' ? 200 : 202 };
  return reason === 'payment_expired' || reason === 'payment_declined'
    ? { status: 402, code: reason }
    : undefined;
}

/** A purchase without an answer. */
export function unanswered(stored: StoredOrder, sentAt: number, endedAt: number): PurchaseEntry {
  const { packageId, email, key } = stored;
  const origin = 'http://127.0.0.1:1';
  return {
    kind: 'purchase',
    sentAt,
    endedAt,
    origin,
    packageId,
    email,
    ...(key === undefined ? {} : { key }),
  };
}

/** A purchase that was refused without an order. */
export function refused(
  sentAt: number,
  endedAt: number,
  code: string,
  over: Partial<PurchaseEntry> = {},
): PurchaseEntry {
  const nobody = order(0, [], { email: 'nobody@example.com', key: `key-${sentAt}-${endedAt}` });
  return { ...unanswered(nobody, sentAt, endedAt), status: 409, code, ...over };
}

/** An operator's change of package 1 that was answered with this version. */
export function change(
  kind: UpdateEntry['kind'],
  sentAt: number,
  endedAt: number,
  version: number,
  quota: number,
): UpdateEntry {
  return {
    ...{ kind, sentAt, endedAt, origin: 'http://127.0.0.1:1', packageId: 1, status: 200 },
    ...(kind === 'update' ? { quota } : {}),
    updated: { version, quota, paused: kind === 'pause' },
  };
}

/** The erasure of an email, of which no order was left. */
export function erasure(email: string, sentAt: number, endedAt: number): EraseEntry {
  return { kind: 'erase', sentAt, endedAt, origin: 'http://127.0.0.1:1', status: 200, email, left: 0 };
}

/** One purchase for each order, answered when the order was final. */
export function bought(orders: readonly StoredOrder[]): PurchaseEntry[] {
  return orders.map((each) =>
    purchase(each, (each.timeline[0]?.at ?? 0) - 5, (each.timeline.at(-1)?.at ?? 0) + 5),
  );
}

export async function violations(
  history: readonly HistoryEntry[],
  state: FinalState,
): Promise<readonly Violation[]> {
  async function* entries() {
    yield* history;
  }
  return (await checkHistory(entries(), state)).violations;
}

/** The ids of the broken rules. */
export async function rulesBroken(history: readonly HistoryEntry[], state: FinalState): Promise<string[]> {
  return [...new Set((await violations(history, state)).map(({ rule }) => rule))];
}
