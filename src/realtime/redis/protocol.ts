import { z } from 'zod';
import { type NumberRuns, runsOf } from '../../domain/number-runs.ts';
import type { Order } from '../../domain/order.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import { isText, membersOf } from '../../lib/json.ts';
import type { QueueSnapshot } from '../live-bus.ts';

/** A change that one instance tells the others. */
export type LiveChange =
  | { readonly package: PackageSnapshot }
  | { readonly removed: { readonly packageId: number } }
  | { readonly order: Order }
  | { readonly queue: QueueSnapshot };

/**
 * A release may add members within a version, and receivers pass unknown members on to listeners. A change that an
 * older release must not read gets a new version.
 */
const version = 1;

const whole = z.int();
const positive = z.int().positive();
const optionalTime = z.int().optional();
const offer = { flight: z.string(), stay: z.string(), price: z.number() };

/** On the wire the inventory of a package is called `figures`, as in every release so far. */
const snapshot = z
  .looseObject({
    package: z.looseObject({
      id: positive,
      ...offer,
      quota: whole,
      opensAt: optionalTime,
      closesAt: optionalTime,
      paused: z.boolean().optional(),
      listed: z.boolean().optional(),
      archived: z.boolean().optional(),
      version: whole,
    }),
    figures: z.looseObject({
      remaining: whole,
      held: whole,
      confirmed: whole,
      cancelling: whole,
      waiting: whole,
      nextNumber: whole,
    }),
  })
  .transform(({ figures: inventory, ...rest }) => ({ ...rest, inventory }));

/**
 * Most changes are orders, so they are checked by hand: a schema would cost several times as much as the parsing.
 * Statuses, reasons and events are any text, because a newer release may add some.
 * @throws TypeError if a member is missing or has another type.
 */
function orderIn(value: unknown): Order {
  const order = membersOf(value);
  const { flight, stay, price } = membersOf(order.package);
  const isReadable =
    [order.id, order.email, order.status, flight, stay].every((text) => isText(text)) &&
    [order.number, order.createdAt].every(Number.isSafeInteger) &&
    Number.isSafeInteger(order.packageId) &&
    (order.packageId as number) > 0 &&
    Number.isFinite(price) &&
    [order.key, order.language, order.reason].every(isTextOrAbsent) &&
    (order.flight === undefined || isText(membersOf(order.flight).ticketNumber)) &&
    (order.hotel === undefined || isText(membersOf(order.hotel).reservationNumber)) &&
    (order.payment === undefined || isPayment(membersOf(order.payment))) &&
    Array.isArray(order.timeline) &&
    order.timeline.every(isTimelineEntry);
  if (!isReadable) throw new TypeError('an order cannot be read');
  return value as Order;
}

function isPayment({ amount, currency, provider, url, payBy }: Readonly<Record<string, unknown>>): boolean {
  const isDue = payBy === undefined || Number.isSafeInteger(payBy);
  return Number.isSafeInteger(amount) && isText(currency) && [provider, url].every(isTextOrAbsent) && isDue;
}

function isTimelineEntry(value: unknown): boolean {
  const { at, event, detail } = membersOf(value);
  return Number.isSafeInteger(at) && isText(event) && isTextOrAbsent(detail);
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || isText(value);
}

/**
 * On the wire the whole queue is `runs`. Older releases send each number, as `all`. They do not know `runs`, and then
 * show the positions of the first orders only.
 */
const queue = z
  .looseObject({
    packageId: positive,
    first: z.array(whole),
    runs: z.array(whole).optional(),
    all: z.array(whole).optional(),
  })
  .transform(({ runs, all: numbers, ...rest }) => {
    const all: NumberRuns | undefined = runs ?? (numbers && runsOf(numbers));
    return all === undefined ? rest : { ...rest, all };
  });

/** On the wire a queue is called `line`, as in every release so far. */
const kinds = {
  package: z.object({ package: snapshot }),
  removed: z.object({ removed: z.looseObject({ packageId: positive }) }),
  line: z.object({ line: queue }).transform(({ line }) => ({ queue: line })),
};
const message = z.object({
  v: z.int().min(1).max(version),
  items: z.array(
    z.custom<Readonly<Record<string, unknown>>>((item) => typeof item === 'object' && item !== null),
  ),
});

/** The first line is the id of the sender, so that the sender can skip its own messages without parsing them. */
export function encodeChanges(from: string, changes: readonly LiveChange[]): string {
  return `${from}\n${JSON.stringify({ v: version, items: changes.map(toWire) })}`;
}

function toWire(change: LiveChange): object {
  if ('queue' in change) {
    const { all: runs, ...rest } = change.queue;
    return { line: { ...rest, runs } };
  }
  if (!('package' in change)) return change;
  const { inventory: figures, ...rest } = change.package;
  return { package: { ...rest, figures } };
}

export function isSentBy(sender: string, text: string): boolean {
  return text.startsWith(`${sender}\n`);
}

/**
 * Skips changes of unknown kinds.
 * @param onUnreadable called with the error for each change that cannot be read; default: these are skipped, too.
 * @throws Error when the message is malformed.
 */
export function decodeChanges(text: string, onUnreadable: (error: Error) => void = () => {}): LiveChange[] {
  const { items } = message.parse(JSON.parse(text.slice(text.indexOf('\n') + 1)));
  return items.flatMap((item) => {
    try {
      if (Object.hasOwn(item, 'order')) return [{ order: orderIn(item.order) }];
      const kind = (['package', 'removed', 'line'] as const).find((each) => Object.hasOwn(item, each));
      return kind === undefined ? [] : [kinds[kind].parse(item) as LiveChange];
    } catch (error) {
      onUnreadable(error as Error);
      return [];
    }
  });
}
