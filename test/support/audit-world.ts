import { type AuditOptions, audit } from '../../src/audit/audit.ts';
import type { AuditedStore } from '../../src/audit/audit-package.ts';
import type { LedgerReader } from '../../src/audit/bounded-reads.ts';
import type { Order, TimelineEntry } from '../../src/domain/order.ts';
import type { PackageSnapshot, TravelPackage } from '../../src/domain/travel-package.ts';
import { UnreadableError } from '../../src/storage/store.ts';
import type { LedgerPayment, Reservation, SupplierKind } from '../../src/suppliers/suppliers.ts';

const offer = { flight: 'Flight-1', stay: '2022-08-09', price: 100 };

/** The contents of a store and its ledger, which a test can make wrong. */
export class AuditedWorld {
  package: TravelPackage = { id: 1, ...offer, quota: 4, version: 1 };
  inventory: Record<keyof PackageSnapshot['inventory'], number>;
  orders: Order[];
  ledger: Record<SupplierKind, Reservation[]> = { flights: [], hotels: [] };
  /** The ledger of the payment provider; undefined without a provider. */
  payments: LedgerPayment[] | undefined;
  /** The name of the payment provider; undefined for a provider that has the payments of all orders. */
  provider: string | undefined;
  /** Ids of the orders that cannot be read. */
  readonly spoilt = new Set<string>();
  archived = { orders: 0, confirmed: 0 };
  archivedIds: string[] = [];
  /** Called before every read, with the name of the read. */
  onRead: (what: string) => void = () => {};

  /** Two confirmed orders, one held, one compensating, one queued, and one with each final status. */
  constructor() {
    this.orders = [
      auditedOrder(1, 'confirmed', 'queued 1', 'claimed 2', 'confirmed 3'),
      auditedOrder(2, 'withdrawn', 'queued 1', 'withdrawn 2'),
      auditedOrder(3, 'cancelling', 'claimed 3', 'confirmed 4', 'cancel requested 9'),
      auditedOrder(4, 'failed', 'queued 3', 'claimed 5', 'failed 6'),
      auditedOrder(5, 'cancelled', 'queued 4', 'claimed 6', 'cancelled 8'),
      auditedOrder(6, 'compensating', 'queued 4', 'claimed 7', 'compensating 8'),
      auditedOrder(7, 'held', 'queued 4', 'claimed 8'),
      auditedOrder(8, 'queued', 'queued 9'),
    ];
    this.inventory = { remaining: 0, held: 2, confirmed: 2, cancelling: 1, waiting: 1, nextNumber: 9 };
    for (const { id, status } of this.orders) {
      if (status === 'confirmed' || status === 'cancelling' || status === 'compensating') {
        this.reserve('flights', id);
        this.reserve('hotels', id);
      }
      if (status === 'held') this.reserve('flights', id);
      if (status === 'cancelled') this.reserve('flights', id, 'cancelled');
    }
  }

  reserve(kind: SupplierKind, key: string, status: Reservation['status'] = 'active', number?: string): void {
    const prefix = kind === 'flights' ? 'F' : 'H';
    this.ledger[kind].push({ key, number: number ?? `${prefix}-${key}`, status });
  }

  /** Gives an order a payment of 100 EUR, and the provider an entry with this status, if any. */
  pay(number: number, status?: LedgerPayment['status'], amount = 10_000): void {
    this.change(number, { payment: { amount: 10_000, currency: 'EUR' } });
    this.payments ??= [];
    if (status !== undefined) this.payments.push({ key: `ID-${number}`, status, amount, currency: 'EUR' });
  }

  /** Archives orders, with their reservations at the simulated suppliers. */
  archive(...numbers: number[]): void {
    const gone = this.orders.filter(({ number }) => numbers.includes(number));
    this.orders = this.orders.filter(({ number }) => !numbers.includes(number));
    const confirmed = gone.filter(({ status }) => status === 'confirmed');
    this.archived = {
      orders: this.archived.orders + gone.length,
      confirmed: this.archived.confirmed + confirmed.length,
    };
    this.archivedIds.push(...confirmed.map(({ id }) => id));
    const isKept = ({ key }: Reservation) => gone.every(({ id }) => id !== key);
    this.ledger.flights = this.ledger.flights.filter(isKept);
    this.ledger.hotels = this.ledger.hotels.filter(isKept);
  }

  change(number: number, over: Partial<Order>): void {
    this.orders = this.orders.map((each) => (each.number === number ? { ...each, ...over } : each));
  }

  get store(): AuditedStore {
    const snapshot = () => ({ package: this.package, inventory: { ...this.inventory } });
    return {
      packagesPage: async () => ({ items: [snapshot()] }),
      packageWithOrdersAbove: async (id) => (id < 1 ? 1 : undefined),
      unreadable: () => [],
      order: async (id) => {
        if (this.spoilt.has(id)) throw new UnreadableError({ packageId: 1, orderId: id });
        return this.orders.find((order) => order.id === id);
      },
      package: async () => {
        this.onRead('package');
        return snapshot();
      },
      archivedCounts: async () => this.archived,
      archivedIds: async (ids) => ids.filter((id) => this.archivedIds.includes(id)),
      orders: async (ids) => {
        this.onRead('orders');
        return this.orders.filter(({ id }) => ids.includes(id) && !this.spoilt.has(id));
      },
      ordersByKey: async (_, keys) =>
        this.orders.filter(({ key }) => key !== undefined && keys.includes(key)),
      ordersPage: async (_, cursor, limit) => {
        this.onRead('page');
        const from = Number(cursor ?? 0);
        const page = this.orders.slice(from, from + limit);
        const items = page.filter(({ id }) => !this.spoilt.has(id));
        const spoilt = page.filter(({ id }) => this.spoilt.has(id));
        const unreadable = spoilt.map(({ id }) => new UnreadableError({ packageId: 1, orderId: id }, 2));
        const next = page.length < limit ? {} : { next: String(from + limit) };
        return { items, ...(unreadable.length === 0 ? {} : { unreadable }), ...next };
      },
    };
  }

  get suppliers(): LedgerReader {
    const pageOf = <Item>(all: readonly Item[], cursor = '0') => {
      const from = Number(cursor);
      const items = all.slice(from, from + 2);
      return items.length < 2 ? { items } : { items, next: String(from + 2) };
    };
    return {
      ...(this.provider === undefined ? {} : { provider: this.provider }),
      ledger: async (kind, cursor) => {
        this.onRead(kind);
        return pageOf(this.ledger[kind], cursor);
      },
      ...(this.payments && {
        payments: async (cursor) => {
          this.onRead('payments');
          return pageOf(this.payments ?? [], cursor);
        },
      }),
    };
  }

  async audit(options: AuditOptions = {}) {
    return audit(this.store, { suppliers: this.suppliers, pageSize: 3, ...options });
  }
}

/** Makes an order from events with their times in seconds, for example `claimed 2`. */
export function auditedOrder(number: number, status: Order['status'], ...events: string[]): Order {
  const id = `ID-${number}`;
  const timeline = events.map((text): TimelineEntry => {
    const [, event, at] = /^(.*) (\d+)$/.exec(text) ?? [];
    return { event: event as TimelineEntry['event'], at: Number(at) * 1000 };
  });
  const isBooked = status === 'confirmed' || status === 'cancelling' || status === 'cancelled';
  return {
    id,
    packageId: 1,
    number,
    package: offer,
    email: 'a@example.com',
    key: `key-${number}`,
    status,
    ...(isBooked ? { flight: { ticketNumber: `F-${id}` }, hotel: { reservationNumber: `H-${id}` } } : {}),
    createdAt: timeline[0]?.at ?? 0,
    timeline,
  };
}
