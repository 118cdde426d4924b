import type { Order } from '../../domain/order.ts';
import { formatCount, peopleAre } from '../../http/pages/format.ts';
import type { InstanceStatus } from '../instance-service.ts';
import type { PackageStatus } from '../package-service.ts';
import { formatQuantity } from './format.ts';

/* What an action will do, in figures, before it is done. */

export function pauseEffects({ inventory: { waiting, held } }: PackageStatus): string[] {
  return [
    'From now on, purchases are refused with 503 “paused”.',
    waiting === 0
      ? 'Nobody is in its queue.'
      : `${formatCount(waiting)} in the queue ${waiting === 1 ? 'keeps the position' : 'keep their positions'}.`,
    held === 0
      ? 'Nothing is being booked right now.'
      : `${formatQuantity(held, 'order')} being booked ${held === 1 ? 'is' : 'are'} finished as usual.`,
  ];
}

export function quotaEffects(
  { package: { quota: was, paused }, inventory }: PackageStatus,
  quota: number,
): string[] {
  const { held, confirmed, remaining, waiting } = inventory;
  const taken = held + confirmed;
  const free = quota - taken;
  const takenWords = `${formatCount(taken)} ${taken === 1 ? 'is' : 'are'} held or confirmed`;
  if (quota < was) {
    return [
      `Lowering to ${formatCount(quota)}: ${takenWords}, ${formatCount(free)} ${free === 1 ? 'stays' : 'stay'} on sale.`,
      `${formatQuantity(was - quota, 'place')} ${was - quota === 1 ? 'is' : 'are'} taken off sale.`,
      waiting === 0
        ? 'Nobody is in its queue.'
        : `${formatCount(waiting)} in the queue ${waiting === 1 ? 'keeps the position' : 'keep their positions'}${free === 0 ? ', but may get nothing' : ''}.`,
    ];
  }
  const served = Math.min(waiting, free);
  return [
    `Raising to ${formatCount(quota)}: ${takenWords}, ${formatCount(free)} ${free === 1 ? 'is' : 'are'} on sale instead of ${formatCount(remaining)}.`,
    waiting === 0
      ? 'Nobody is in its queue.'
      : `${formatCount(served)} of ${formatCount(waiting)} in the queue ${served === 1 ? 'gets a place' : 'get places'} ${paused === true ? 'when the sale is resumed' : 'at once'}, first come, first served.`,
  ];
}

export function archiveEffects({ inventory: { confirmed } }: PackageStatus): string[] {
  return [
    'It leaves the lists of customers and operators. Nobody can buy it any more.',
    confirmed === 0
      ? 'No trip of it is confirmed.'
      : `${formatQuantity(confirmed, 'confirmed order')} ${confirmed === 1 ? 'stays' : 'stay'} valid, and can still be looked up and cancelled.`,
    'It stays in the audit. Archiving cannot be undone.',
  ];
}

/** What stands in the way of archiving; empty when nothing does. */
export function whyNotArchived({ package: { archived }, inventory, obstacle }: PackageStatus): string[] {
  if (archived === true) return ['It is archived already.'];
  const { waiting, held, cancelling } = inventory;
  const hasEnded = obstacle === 'paused' || obstacle === 'sale_closed' || obstacle === 'sold_out';
  return [
    ...(hasEnded ? [] : ['It can still be bought. Pause it or let its sale close first.']),
    ...(waiting === 0 ? [] : [`${peopleAre(waiting)} waiting for it.`]),
    ...(held === 0 ? [] : [`${formatQuantity(held, 'order')} ${held === 1 ? 'is' : 'are'} being booked.`]),
    ...(cancelling === 0
      ? []
      : [`${formatQuantity(cancelling, 'order')} ${cancelling === 1 ? 'is' : 'are'} being cancelled.`]),
  ];
}

export function deleteEffects({ package: { quota } }: PackageStatus): string[] {
  return [
    'Nobody has ordered it, so no order is lost.',
    `It is gone at once, with its ${formatQuantity(quota, 'place')}: who tries to buy it is told that there is no such trip.`,
    'This cannot be undone.',
  ];
}

/** A sale that is open now and would not be after an edit. */
export function closingEffects(
  { inventory: { waiting } }: PackageStatus,
  phase: 'not_open' | 'closed',
): string[] {
  return [
    phase === 'closed'
      ? 'With this time the sale closes at once, and purchases are refused.'
      : 'With this time the sale is no longer open, and purchases are refused until then.',
    waiting === 0
      ? 'Nobody is in its queue.'
      : `${formatCount(waiting)} in the queue ${waiting === 1 ? 'keeps the position and is' : 'keep their positions and are'} still served.`,
  ];
}

export function drainEffects(instance: InstanceStatus, all: readonly InstanceStatus[]): string[] {
  const { id } = instance;
  const others = all.filter((other) => other.id !== id && other.state === 'ready').length;
  const load = 'load' in instance ? instance.load : undefined;
  const packages = formatQuantity(load?.packages ?? 0, 'package');
  const viewers = formatQuantity(load?.sockets ?? 0, 'viewer');
  const reconnect = `${viewers} ${load?.sockets === 1 ? 'reconnects' : 'reconnect'}`;
  const start = 'Its process then ends, and can be started again.';
  if (others === 0) {
    return [
      `${id} is the only instance: nobody can take over its ${packages}.`,
      'The sale stops for everybody until an instance is started. No order is lost.',
      start,
    ];
  }
  return [
    `${id} hands over ${packages} to ${formatQuantity(others, 'other')}; ${reconnect}.`,
    `The new owners carry on with ${formatQuantity(load?.sagas ?? 0, 'booking')} under way. No order is lost.`,
    start,
  ];
}

/** Undefined where it cannot be cancelled. */
export function cancelEffects({ status, flight, hotel }: Order): string[] | undefined {
  if (status === 'queued') {
    return [
      'The buyer loses the position in the queue, and is told so.',
      'Nothing has been booked, so nothing is given back.',
    ];
  }
  if (status !== 'confirmed') return undefined;
  return [
    `The seat${flight === undefined ? '' : ` (${flight.ticketNumber})`} and the room${hotel === undefined ? '' : ` (${hotel.reservationNumber})`} are given back at the suppliers.`,
    'The place goes to the next in the queue, or back on sale.',
    'The buyer sees the trip as cancelled. This cannot be undone.',
  ];
}

export const eraseEffects: readonly string[] = [
  'In every order that has ended, a random placeholder replaces this email.',
  'Nobody can look these orders up any more. A confirmed trip stays valid with the airline and the hotel.',
  'Orders still under way keep the email: repeat this when they have ended.',
  'This cannot be undone.',
];

/** `312 people are waiting.` */
export function waitingWords({ inventory: { waiting } }: PackageStatus): string {
  return `${peopleAre(waiting)} waiting.`;
}
