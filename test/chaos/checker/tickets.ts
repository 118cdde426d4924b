import type { FinalState, Reservation, StoredOrder } from './final-state.ts';
import type { FindingsCollector } from './findings.ts';
import { nameOf, type Orders } from './orders.ts';

/** The prefix of keys of clients without the suppliers' token. Their reservations belong to no order. */
const publicPrefix = 'public:';

/** Rules Q3 and Q8: confirmed orders have exactly the active tickets, and no other tickets are active. */
export function checkTickets(state: FinalState, orders: Orders, collector: FindingsCollector): void {
  const quotas = new Map(state.packages.map(({ id, quota }) => [id, quota]));
  checkLedger('flight', state.flights, orders, quotas, ({ ticketNumber }) => ticketNumber, collector);
  checkLedger('hotel', state.hotels, orders, quotas, ({ reservationNumber }) => reservationNumber, collector);
}

function checkLedger(
  what: 'flight' | 'hotel',
  ledger: readonly Reservation[],
  orders: Orders,
  quotas: ReadonlyMap<number, number>,
  storedNumber: (order: StoredOrder) => string | undefined,
  collector: FindingsCollector,
): void {
  const numbers = new Set<string>();
  const activeKeys = new Set<string>();
  const perPackage = new Map<number, number>();
  for (const { key, number, status } of ledger) {
    if (numbers.has(number)) collector.violation('Q8', `${what} ${number} is in the ledger twice`);
    numbers.add(number);
    if (status !== 'active') continue;
    if (key.startsWith(publicPrefix)) {
      collector.count(`${what}s reserved by the public`);
      continue;
    }
    collector.count(`${what}s reserved`);
    if (activeKeys.has(key)) collector.violation('Q8', `order ${key} has a second ${what}, ${number}`);
    activeKeys.add(key);
    const order = orders.get(key)?.order;
    const stored = order && storedNumber(order);
    if (order) perPackage.set(order.packageId, (perPackage.get(order.packageId) ?? 0) + 1);
    if (order?.status !== 'confirmed') {
      const whose =
        order === undefined ? `order ${key}, which is not stored` : `${nameOf(order)}, ${order.status}`;
      collector.violation('Q8', `${what} ${number} is reserved for ${whose}`);
    } else if (stored !== number) {
      collector.violation('Q8', `${nameOf(order)} carries ${what} ${stored}, but ${number} is reserved`);
    }
  }
  for (const [id, count] of perPackage) {
    const quota = quotas.get(id) ?? 0;
    if (count > quota)
      collector.violation('Q3', `package ${id} has ${count} ${what}s reserved, of a quota of ${quota}`);
  }
  checkConfirmed(what, activeKeys, orders, storedNumber, collector);
}

function checkConfirmed(
  what: string,
  activeKeys: ReadonlySet<string>,
  orders: Orders,
  storedNumber: (order: StoredOrder) => string | undefined,
  collector: FindingsCollector,
): void {
  const owners = new Map<string, StoredOrder>();
  for (const { order } of orders.all()) {
    const number = storedNumber(order);
    const other = number === undefined ? undefined : owners.get(number);
    if (other) collector.violation('Q3', `${nameOf(order)} and ${nameOf(other)} both have ${what} ${number}`);
    if (number !== undefined) owners.set(number, order);
    if (order.status !== 'confirmed') continue;
    if (!activeKeys.has(order.id))
      collector.violation('Q8', `${nameOf(order)} is confirmed without a ${what}`);
    if (number === undefined)
      collector.violation('Q8', `${nameOf(order)} is confirmed and carries no ${what}`);
  }
}
