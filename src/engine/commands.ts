import type { Lookups, PackageRules } from '../domain/decide.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type {
  Answer,
  Cancel,
  Change,
  Erase,
  NotOwner,
  PackageMessage,
  Purchase,
  Refused,
  Retry,
  UpdatePackage,
} from '../domain/messages.ts';
import { isSettled, type Order } from '../domain/order.ts';
import type { PackageState } from '../domain/package-state.ts';
import type { TravelPackage } from '../domain/travel-package.ts';
import type { CommitOutcome, Metrics } from '../observability/metrics.ts';
import type { LiveBus } from '../realtime/live-bus.ts';
import type { Store } from '../storage/store.ts';
import { CommitUnknownError, FencedError, StoreUnavailableError } from '../storage/store.ts';

/** A message to a package without its reply function, so that the message can be sent to another instance. */
export type Command =
  | Omit<Purchase, 'caller' | 'deadlineAt' | 'waiting'>
  | Omit<Cancel, 'caller' | 'deadlineAt' | 'waiting'>
  | Omit<UpdatePackage, 'caller' | 'deadlineAt'>
  | Omit<Retry, 'caller' | 'deadlineAt'>
  | Omit<Erase, 'caller' | 'deadlineAt'>;

export function refused(code: ErrorCode, order?: Order): Refused {
  return { kind: 'refused', code, ...(order === undefined ? {} : { order }) };
}

/**
 * Narrows the type of an answer to the kind that the command expects, or to a refusal.
 * @throws TypeError for an answer of another kind.
 */
export function answerOf<Kind extends Answer['kind']>(
  kind: Kind,
  answer: Answer | NotOwner,
): Extract<Answer, { kind: Kind }> | Refused {
  if (answer.kind === 'refused') return answer;
  if (answer.kind === kind) return answer as Extract<Answer, { kind: Kind }>;
  throw new TypeError(`${answer.kind} is no answer to this command`);
}

/** Turns operating errors, for example an unavailable store, into refusals. */
export function answered<T>(work: () => Promise<T | Refused>): Promise<T | Refused> {
  return work().catch((error: unknown) => {
    if (error instanceof StoreUnavailableError) return refused('store_unavailable');
    if (error instanceof UnknownPackageError) return refused('unknown_package');
    if (error instanceof ContendedError) return refused('overloaded');
    throw error;
  });
}

/** A commit did not succeed within its limits, because other commits were quicker or the store was away. */
export class ContendedError extends Error {
  override readonly name = 'ContendedError';
}

/** The package never existed, or was removed. */
export class UnknownPackageError extends Error {
  override readonly name = 'UnknownPackageError';
}

const none: ReadonlyMap<string, never> = new Map<string, never>();

/**
 * Reads the stored orders that the messages of a batch refer to by key or id, and counts orders by email.
 * @throws UnreadableError if one of these orders cannot be read.
 */
export async function loadLookups(
  store: Pick<Store, 'order' | 'ordersByKey' | 'liveOrdersByEmail'>,
  rules: PackageRules,
  state: Pick<PackageState, 'package' | 'orders'>,
  batch: readonly PackageMessage[],
): Promise<Lookups> {
  const keys: string[] = [];
  const ids: string[] = [];
  const emails = new Set<string>();
  for (const message of batch) {
    const isAboutOrder = message.kind === 'cancel' || message.kind === 'retry';
    if (isAboutOrder && !state.orders.has(message.orderId)) ids.push(message.orderId);
    if (message.kind === 'erase') ids.push(...message.erasures.map(({ orderId }) => orderId));
    if (message.kind !== 'purchase') continue;
    if (message.key !== undefined) keys.push(message.key);
    if (message.inDoubt === true) ids.push(message.orderId);
    if (rules.ordersPerEmail > 0) emails.add(message.email);
  }
  const packageId = state.package.id;
  const [keyed, identified, liveByEmail] = await Promise.all([
    keys.length === 0 ? [] : store.ordersByKey(packageId, keys),
    // Each by itself, because a list would leave out an order that cannot be read.
    Promise.all(ids.map((id) => store.order(id))),
    emails.size === 0 ? none : store.liveOrdersByEmail(packageId, [...emails]),
  ]);
  return {
    byKey: mapBy(keyed, (order) => order.key),
    // A commit under the fence of this package must not change an order of another package.
    byId: mapBy(
      identified.flatMap((order) => (order?.packageId === packageId ? [order] : [])),
      (order) => order.id,
    ),
    liveByEmail,
  };
}

function mapBy(
  orders: readonly Order[],
  by: (order: Order) => string | undefined,
): ReadonlyMap<string, Order> {
  if (orders.length === 0) return none;
  const map = new Map<string, Order>();
  for (const order of orders) {
    const name = by(order);
    if (name !== undefined) map.set(name, order);
  }
  return map;
}

/** Counts a commit by its outcome and measures its duration. Rejects with the commit's own error. */
export async function measuredCommit(metrics: Metrics, commit: () => Promise<void>): Promise<void> {
  const ended = metrics.commit();
  try {
    await commit();
  } catch (error) {
    ended(commitOutcomeOf(error));
    throw error;
  }
  ended('applied');
}

/**
 * Publishes a change that the store has applied. Nobody waits for a new order or watches it, because its id is told with
 * the answer. Only its outcome is news, if one batch has also ended it.
 */
export function publishChange(liveBus: LiveBus, travelPackage: TravelPackage, change: Change): void {
  const { inventory, inserted, updated, erased = [] } = change;
  liveBus.publishPackage({ package: travelPackage, inventory });
  for (const order of updated) liveBus.publishOrder(order);
  for (const order of inserted) if (isSettled(order)) liveBus.publishOrder(order);
  for (const order of erased) liveBus.publishOrder(order);
}

function commitOutcomeOf(error: unknown): CommitOutcome {
  if (error instanceof FencedError) return 'fenced';
  if (error instanceof CommitUnknownError) return 'unknown';
  return error instanceof StoreUnavailableError ? 'unavailable' : 'refused';
}
