import type { Order } from '../../domain/order.ts';
import type { InstanceStatus, PackageStatus } from '../../ports/operations.ts';
import { figureWords, peopleAre } from '../pages/words.ts';
import { counted } from './words.ts';

/* What an action will do, in figures, before it is done. */

export function pauseEffects({ figures: { waiting, held } }: PackageStatus): string[] {
  return [
    'Purchases are refused with 503 “paused” from now on.',
    waiting === 0
      ? 'Nobody waits in its line.'
      : `${figureWords(waiting)} waiting ${waiting === 1 ? 'keeps the' : 'keep their'} place.`,
    held === 0
      ? 'Nothing is being booked right now.'
      : `${counted(held, 'order')} being booked ${held === 1 ? 'goes' : 'go'} on to the end.`,
  ];
}

export function quotaEffects(
  { package: { quota: was, paused }, figures }: PackageStatus,
  quota: number,
): string[] {
  const { held, confirmed, remaining, waiting } = figures;
  const taken = held + confirmed;
  const free = quota - taken;
  const takenWords = `${figureWords(taken)} ${taken === 1 ? 'is' : 'are'} held or confirmed`;
  if (quota < was) {
    return [
      `Lowering to ${figureWords(quota)}: ${takenWords}, ${figureWords(free)} ${free === 1 ? 'stays' : 'stay'} on sale.`,
      `${counted(was - quota, 'unit')} ${was - quota === 1 ? 'is' : 'are'} taken off sale.`,
      waiting === 0
        ? 'Nobody waits in its line.'
        : `${figureWords(waiting)} waiting ${waiting === 1 ? 'keeps the' : 'keep their'} place${free === 0 ? ', but no unit may come to them' : ''}.`,
    ];
  }
  const served = Math.min(waiting, free);
  return [
    `Raising to ${figureWords(quota)}: ${takenWords}, ${figureWords(free)} ${free === 1 ? 'is' : 'are'} on sale instead of ${figureWords(remaining)}.`,
    waiting === 0
      ? 'Nobody waits in its line.'
      : `${figureWords(served)} of ${figureWords(waiting)} waiting get ${served === 1 ? 'a unit' : 'units'} ${paused === true ? 'when it is resumed' : 'at once'}, in their order.`,
  ];
}

/** A sale that is open now and would not be after an edit. */
export function closingEffects(
  { figures: { waiting } }: PackageStatus,
  phase: 'not_open' | 'closed',
): string[] {
  return [
    phase === 'closed'
      ? 'With this time the sale is closed at once: purchases are refused.'
      : 'With this time the sale is not open any more: purchases are refused until then.',
    waiting === 0
      ? 'Nobody waits in its line.'
      : `${figureWords(waiting)} waiting ${waiting === 1 ? 'keeps the' : 'keep their'} place and ${waiting === 1 ? 'is' : 'are'} still served.`,
  ];
}

export function drainEffects(instance: InstanceStatus, all: readonly InstanceStatus[]): string[] {
  const { id } = instance;
  const others = all.filter((other) => other.id !== id && other.state === 'ready').length;
  const load = instance.state === 'silent' ? undefined : instance.load;
  const packages = counted(load?.packages ?? 0, 'package');
  const viewers = counted(load?.sockets ?? 0, 'viewer');
  const reconnect = `${viewers} ${load?.sockets === 1 ? 'reconnects' : 'reconnect'}`;
  const start = 'Its process ends when that is done; whoever runs it may start it again.';
  if (others === 0) {
    return [
      `${id} is the only instance: nobody takes its ${packages} over.`,
      'The sale stops for everybody until it is started again. Orders are kept.',
      start,
    ];
  }
  return [
    `${id} hands over ${packages} to ${counted(others, 'other')}; ${reconnect}.`,
    `${counted(load?.sagas ?? 0, 'booking')} under way ${load?.sagas === 1 ? 'is' : 'are'} taken up again by the new owners. No order is lost.`,
    start,
  ];
}

/** Undefined where it cannot be cancelled. */
export function cancelEffects({ status, flight, hotel }: Order): string[] | undefined {
  if (status === 'queued') {
    return [
      'The buyer gives up the place in the line and is told so.',
      'Nothing was booked, so nothing is given back.',
    ];
  }
  if (status !== 'confirmed') return undefined;
  return [
    `The seat${flight === undefined ? '' : ` (${flight.ticketNumber})`} and the room${hotel === undefined ? '' : ` (${hotel.reservationNumber})`} are given back at the suppliers.`,
    'The unit goes to the next in the line, or on sale.',
    'The buyer sees the trip as cancelled. This cannot be undone.',
  ];
}

export const eraseEffects: readonly string[] = [
  'Every order of this email that has ended loses it: a random placeholder takes its place.',
  'Nobody can look these orders up any more. A confirmed trip stays valid at the airline and the hotel.',
  'Orders that have not ended keep it; repeat this when they have.',
  'It cannot be undone.',
];

/** `312 people are waiting.` */
export function waitingWords({ figures: { waiting } }: PackageStatus): string {
  return `${peopleAre(waiting)} waiting.`;
}
