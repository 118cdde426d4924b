import type { OrderStatus, Payment } from '../../domain/order.ts';
import { en } from '../../http/pages/texts/en.ts';

/* The operators' pages are in English. */

export const {
  count: formatCount,
  price: formatPrice,
  night: formatNight,
  time: formatTime,
  dateTime: formatDateTime,
  wait: formatWait,
} = en.formats;

/** A count with its noun, such as `1 order` or `12 orders`. */
export function formatQuantity(count: number, one: string, many = `${one}s`): string {
  return en.formats.quantity(count, { one, other: many });
}

/** A count of people with its verb: `1 person is`, `3 people are`. */
export function peopleAre(count: number): string {
  return formatQuantity(count, 'person is', 'people are');
}

/* Numbers and times for operators: short, and all times in UTC. */

/** Keeps a number and its unit on one line. */
const noBreak = '\u00a0';

/** `8 s`, `4 min`, `3 h 20 min`, `2 d 4 h`: each on one line. */
export function durationWords(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}${noBreak}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes}${noBreak}min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return withRest(hours, 'h', minutes % 60, 'min');
  return withRest(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function withRest(count: number, unit: string, rest: number, restUnit: string): string {
  return [count, unit, ...(rest === 0 ? [] : [rest, restUnit])].join(noBreak);
}

/** `0`, `0.4`, `12.4`, `1,240`: one decimal below 100. */
export function rateWords(perS: number): string {
  return perS === 0 || perS >= 100 ? formatCount(Math.round(perS)) : perS.toFixed(1);
}

/** `0.8 ms`, `12 ms`, `1,200 ms`. */
export function msWords(ms: number): string {
  return `${ms > 0 && ms < 10 ? ms.toFixed(1) : formatCount(Math.round(ms))}${noBreak}ms`;
}

/** `184 MB` */
export function memoryWords(bytes: number): string {
  return `${formatCount(Math.round(bytes / 1_000_000))}${noBreak}MB`;
}

/** `1`, `1 and 2`, `1, 2, 3 and 9 more`. */
export function listed(items: readonly string[], shownMax = 4): string {
  if (items.length <= 1) return items.join('');
  const isCut = items.length > shownMax;
  const shown = isCut ? items.slice(0, shownMax) : items.slice(0, -1);
  const last = isCut ? `${formatCount(items.length - shownMax)} more` : items.at(-1);
  return `${shown.join(', ')} and ${last}`;
}

/** `24 Nov, 11:24` in UTC, with the year if it is not the current one. */
export function shortMomentWords(at: number, now: number): string {
  const [, date, time] = /^(.+), (.+) UTC$/.exec(formatDateTime(at)) ?? [];
  const year = new Date(at).getUTCFullYear();
  return `${year === new Date(now).getUTCFullYear() ? date?.replace(` ${year}`, '') : date}, ${time}`;
}

export const statusWords: Readonly<Record<OrderStatus, string>> = {
  queued: 'In the queue',
  held: 'Being booked',
  payable: 'To be paid',
  compensating: 'Giving back',
  confirmed: 'Confirmed',
  cancelling: 'Cancelling',
  failed: 'Failed',
  rejected: 'Sold out',
  withdrawn: 'Left the queue',
  cancelled: 'Cancelled',
};

/** `€120.50`, and until when it is due, if it has been due: `€120.50, due until 24 Nov 2026, 11:24 UTC`. */
export function paymentWords({ amount, currency, payBy }: Payment): string {
  const price = en.formats.amount(amount, currency);
  return payBy === undefined ? price : `${price}, due until ${formatDateTime(payBy)}`;
}
