import type { Change, CommandMessage, PackageMessage } from '../domain/messages.ts';
import { isUnfinished, type Order } from '../domain/order.ts';
import type { PackageState } from '../domain/package-state.ts';
import type { TraceContext, Tracing } from '../observability/tracing.ts';

/** Adds a customer's message to the current trace, and begins the span of its time in the mailbox. */
export function traced(tracing: Tracing, packageId: number, message: CommandMessage): CommandMessage {
  if (message.kind !== 'purchase' && message.kind !== 'cancel') return message;
  const trace = message.trace ?? tracing.current();
  if (trace === undefined) return message;
  const attributes = { 'package.id': packageId, 'order.id': message.orderId, 'message.kind': message.kind };
  const waiting = tracing.begin('mailbox wait', { parent: trace, attributes });
  // A message can be answered before it is taken from the mailbox. Then its wait ends with the answer.
  const caller: CommandMessage['caller'] = (answer) => {
    waiting.end();
    message.caller(answer);
  };
  return { ...message, trace, waiting, caller };
}

/** The traces of a batch: all traces, and the trace of each order. */
interface BatchTraces {
  readonly all: readonly TraceContext[];
  readonly byOrder: ReadonlyMap<string, TraceContext>;
}

/**
 * Keeps the trace of each unfinished order, because the order's request may be over before its saga ends or before the
 * queue is served. A commit belongs to the first of the traces in its batch, and links to the others.
 */
export class OrderTraces {
  readonly #tracing: Tracing;
  readonly #orders = new Map<string, TraceContext>();
  readonly #batches = new WeakMap<PackageState, BatchTraces>();

  constructor(tracing: Tracing) {
    this.#tracing = tracing;
  }

  /** Notes the traces of a batch that was taken from the mailbox. */
  taken(state: PackageState, batch: readonly PackageMessage[]): void {
    const all = new Set<TraceContext>();
    const byOrder = new Map<string, TraceContext>();
    for (const message of batch) {
      if ('waiting' in message) message.waiting?.end();
      const orderId = 'orderId' in message ? message.orderId : undefined;
      const own = 'trace' in message ? message.trace : undefined;
      const trace = own ?? (orderId === undefined ? undefined : this.#orders.get(orderId));
      if (trace === undefined) continue;
      all.add(trace);
      if (orderId !== undefined) byOrder.set(orderId, trace);
    }
    this.#batches.set(state, { all: [...all], byOrder });
  }

  commit<T>(state: PackageState, write: () => T): T {
    const [parent, ...links] = this.#batches.get(state)?.all ?? [];
    if (parent === undefined) return write();
    const attributes = { 'package.id': state.package.id, 'package.epoch': state.epoch };
    return this.#tracing.within('commit', { parent, links, attributes }, write);
  }

  committed(state: PackageState, { inserted, updated }: Change): void {
    const { byOrder } = this.#batches.get(state) ?? {};
    for (const order of [...inserted, ...updated]) {
      const trace = byOrder?.get(order.id);
      if (!isUnfinished(order)) this.#orders.delete(order.id);
      else if (trace !== undefined) this.#orders.set(order.id, trace);
    }
  }

  saga<T>(what: string, order: Order, work: () => T): T {
    const parent = this.#orders.get(order.id);
    if (parent === undefined) return this.#tracing.outside(work);
    const attributes = { 'order.id': order.id, 'package.id': order.packageId };
    return this.#tracing.within(`saga ${what}`, { parent, attributes }, work);
  }

  /** Forgets the orders of an activation that has ended. */
  forget(state: PackageState): void {
    for (const orderId of state.orders.keys()) this.#orders.delete(orderId);
  }
}
