import { decide, type Lookups, type PackageRules, type Step } from '../../src/domain/decide.ts';
import type { Answer, NotOwner, PackageMessage, Purchase } from '../../src/domain/messages.ts';
import { type Order, type UnpaidReason, unfinishedStatuses } from '../../src/domain/order.ts';
import { PackageState } from '../../src/domain/package-state.ts';
import { fullInventory, type TravelPackage } from '../../src/domain/travel-package.ts';
import { loadLookups } from '../../src/engine/commands.ts';
import type { Store } from '../../src/storage/store.ts';

export const defaultRules: PackageRules = {
  waitersPerUnit: 4,
  waitersMax: 1_000,
  ordersPerEmail: 0,
  rejectionsMax: 1_000,
};

export function makePackage(overrides: Partial<TravelPackage> = {}): TravelPackage {
  return { id: 7, flight: 'Flight-7', stay: '2022-08-09', price: 100, quota: 2, version: 1, ...overrides };
}

/**
 * Runs the pure decision of a package's actor on a committed state and a list of stored orders, without the actor's
 * loop, a store or suppliers.
 */
export class DecideFixture {
  readonly rules: PackageRules;
  state: PackageState;
  /** Every stored order by id. */
  readonly stored = new Map<string, Order>();
  readonly answers: (Answer | NotOwner)[] = [];
  now = 1_000;
  #ids = 0;

  constructor(travelPackage: Partial<TravelPackage> = {}, rules: Partial<PackageRules> = {}) {
    const whole = makePackage(travelPackage);
    this.rules = { ...defaultRules, ...rules };
    const inventory = fullInventory(whole.quota);
    this.state = new PackageState(
      { package: whole, inventory, fence: { epoch: 1, seq: 0 }, unfinished: [] },
      true,
    );
  }

  /** Decides, commits and applies one batch. Collects the answers. */
  async batch(...messages: PackageMessage[]): Promise<Step> {
    const known = await this.#recall(messages);
    const step = decide(this.state, messages, known, { now: this.now, monotonic: this.now }, this.rules);
    this.now += 1;
    this.state.suppliersAvailable = step.suppliersAvailable;
    if (step.change !== undefined) {
      const { erased = [], inserted, updated } = step.change;
      for (const order of [...erased, ...inserted, ...updated]) this.stored.set(order.id, order);
      this.state.apply(step.change);
    }
    for (const effect of step.effects) if (effect.kind === 'answer') effect.caller(effect.answer);
    return step;
  }

  /** Replaces the state by a state that is built from the stored orders, as a new owner builds it. */
  takeover(): void {
    const { package: travelPackage, inventory, epoch, seq, suppliersAvailable } = this.state;
    const unfinished = this.ordersBy(...unfinishedStatuses);
    const fence = { epoch: epoch + 1, seq };
    this.state = new PackageState(
      { package: travelPackage, inventory, fence, unfinished },
      suppliersAvailable,
    );
  }

  purchase(overrides: Partial<Purchase> = {}): Purchase {
    this.#ids += 1;
    return {
      kind: 'purchase',
      orderId: `order-${this.#ids}`,
      email: `buyer-${this.#ids}@example.com`,
      deadlineAt: Number.MAX_SAFE_INTEGER,
      caller: (answer) => this.answers.push(answer),
      ...overrides,
    };
  }

  cancel(orderId: string): PackageMessage {
    const caller = (answer: Answer | NotOwner) => void this.answers.push(answer);
    return { kind: 'cancel', orderId, deadlineAt: Number.MAX_SAFE_INTEGER, caller };
  }

  booked(orderId: string): PackageMessage {
    const { epoch } = this.state;
    const reserved = { flight: { ticketNumber: 'F1' }, hotel: { reservationNumber: 'H1' } };
    return { kind: 'booked', orderId, epoch, events: [], reserved };
  }

  refused(orderId: string): PackageMessage {
    return { kind: 'refused', orderId, epoch: this.state.epoch, events: [], reason: 'flight_unavailable' };
  }

  needsCompensation(orderId: string): PackageMessage {
    return {
      kind: 'needsCompensation',
      orderId,
      epoch: this.state.epoch,
      events: [],
      reason: 'hotel_unavailable',
      reserved: { flight: { ticketNumber: 'F1' } },
    };
  }

  compensated(orderId: string): PackageMessage {
    return { kind: 'compensated', orderId, epoch: this.state.epoch, events: [] };
  }

  paymentDue(orderId: string): PackageMessage {
    const { epoch } = this.state;
    const reserved = { flight: { ticketNumber: 'F1' }, hotel: { reservationNumber: 'H1' } };
    return { kind: 'paymentDue', orderId, epoch, events: [], reserved, url: 'https://pay.example/1' };
  }

  paid(orderId: string): PackageMessage {
    const events = [{ at: this.now, event: 'paid' as const }];
    return { kind: 'paid', orderId, epoch: this.state.epoch, events };
  }

  unpaid(orderId: string, reason: UnpaidReason = 'payment_expired'): PackageMessage {
    return { kind: 'unpaid', orderId, epoch: this.state.epoch, events: [], reason };
  }

  /** Stored orders with one of these statuses, by number. */
  ordersBy(...statuses: Order['status'][]): Order[] {
    const matching = [...this.stored.values()].filter((order) => statuses.includes(order.status));
    return matching.sort((a, b) => a.number - b.number);
  }

  #recall(messages: readonly PackageMessage[]): Promise<Lookups> {
    const all = () => [...this.stored.values()];
    const lookups: Pick<Store, 'order' | 'ordersByKey' | 'liveOrdersByEmail'> = {
      order: async (id) => all().find((order) => order.id === id),
      ordersByKey: async (_, keys) => all().filter((order) => order.key && keys.includes(order.key)),
      liveOrdersByEmail: async (_, emails) => {
        const live = this.ordersBy(...unfinishedStatuses, 'confirmed');
        return new Map(emails.map((email) => [email, live.filter((order) => order.email === email).length]));
      },
    };
    return loadLookups(lookups, this.rules, this.state, messages);
  }
}
