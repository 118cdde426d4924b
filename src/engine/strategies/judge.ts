import type { ErrorCode } from '../../domain/errors.ts';
import type { Order } from '../../domain/order.ts';
import type { Store } from '../../storage/store.ts';
import type { Accepted, PurchaseRequest, Refused } from '../engine.ts';

export type Answer = Accepted | Refused;

/** What the store knows of purchases: orders by key, and how many live ones an email has. */
export interface Recalled {
  readonly byKey: Map<string, Order>;
  readonly liveByEmail: Map<string, number>;
}

/** Looks up what purchases of one package may already have led to. */
export async function recall(
  store: Pick<Store, 'ordersByKey' | 'liveOrdersByEmail'>,
  ordersPerEmail: number,
  packageId: number,
  requests: readonly PurchaseRequest[],
): Promise<Recalled> {
  const keys = requests.flatMap(({ key }) => key ?? []);
  const emails = ordersPerEmail === 0 ? [] : requests.map(({ email }) => email);
  const [keyed, liveByEmail] = await Promise.all([
    keys.length === 0 ? [] : store.ordersByKey(packageId, keys),
    emails.length === 0 ? new Map<string, number>() : store.liveOrdersByEmail(packageId, emails),
  ]);
  return { byKey: new Map(keyed.map((order) => [order.key as string, order])), liveByEmail };
}

/** What the purchase's key led to before (rule Q7). */
export function answerByKey({ key, email }: PurchaseRequest, { byKey }: Recalled): Answer | undefined {
  const order = key === undefined ? undefined : byKey.get(key);
  if (order === undefined) return undefined;
  return order.email === email ? accepted(order) : refused('key_reused');
}

/** Whether its email has as many orders as it may. */
export function isOverLimit(
  { email }: PurchaseRequest,
  { liveByEmail }: Recalled,
  ordersPerEmail: number,
): boolean {
  return ordersPerEmail > 0 && (liveByEmail.get(email) ?? 0) >= ordersPerEmail;
}

export function accepted(order: Order): Accepted {
  return { kind: 'accepted', order };
}

export function refused(code: ErrorCode, order?: Order): Refused {
  return { kind: 'refused', code, ...(order === undefined ? {} : { order }) };
}
