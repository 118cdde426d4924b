import { z } from 'zod';
import type { Order } from '../../domain/order.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import type { QueueSnapshot } from '../live-bus.ts';

/** Something that changed. */
export type LiveChange =
  | { readonly package: PackageSnapshot }
  | { readonly removed: { readonly packageId: number } }
  | { readonly order: Order }
  | { readonly line: QueueSnapshot };

/** Members may be added within a version and are handed on as they are; what an older release must not read gets a new one. */
const version = 1;

const whole = z.int();
const positive = z.int().positive();
const optionalTime = z.int().optional();
const offer = { flight: z.string(), stay: z.string(), price: z.number() };

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

/** Statuses, reasons and events are not listed: those of a newer release are shown as far as they are understood. */
const order = z.looseObject({
  id: z.string(),
  packageId: positive,
  number: whole,
  package: z.looseObject(offer),
  email: z.string(),
  key: z.string().optional(),
  status: z.string(),
  reason: z.string().optional(),
  flight: z.looseObject({ ticketNumber: z.string() }).optional(),
  hotel: z.looseObject({ reservationNumber: z.string() }).optional(),
  createdAt: whole,
  timeline: z.array(z.looseObject({ at: whole, event: z.string(), detail: z.string().optional() })),
});

const line = z.looseObject({ packageId: positive, first: z.array(whole), all: z.array(whole).optional() });

const items = {
  package: z.object({ package: snapshot }),
  removed: z.object({ removed: z.looseObject({ packageId: positive }) }),
  order: z.object({ order }),
  line: z.object({ line }),
};
const news = z.object({ v: z.int().min(1).max(version), items: z.array(z.record(z.string(), z.unknown())) });

/** The first line names the sender, so that it can tell its own messages without reading them. */
export function encodeChanges(from: string, changed: readonly LiveChange[]): string {
  return `${from}\n${JSON.stringify({ v: version, items: changed.map(toWire) })}`;
}

/** On the wire the inventory of a package is called `figures`, as in every release so far. */
function toWire(item: LiveChange): object {
  if (!('package' in item)) return item;
  const { inventory: figures, ...rest } = item.package;
  return { package: { ...rest, figures } };
}

export function isSentBy(sender: string, text: string): boolean {
  return text.startsWith(`${sender}\n`);
}

/** Kinds of items that are not known are passed over. @throws Error for anything that makes no sense. */
export function decodeChanges(text: string): LiveChange[] {
  const read = news.parse(JSON.parse(text.slice(text.indexOf('\n') + 1)));
  return read.items.flatMap((item) => {
    const kind = (['package', 'removed', 'order', 'line'] as const).find((each) => Object.hasOwn(item, each));
    return kind === undefined ? [] : [items[kind].parse(item) as LiveChange];
  });
}
