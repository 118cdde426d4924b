/* Formats numbers, prices, dates and times for pages. Times are UTC; scripts convert them to the reader's zone. */

/** A price, such as `$1,250`. An invalid currency code is appended: `1250 X`. */
export function formatPrice(price: number, currency: string): string {
  try {
    return formatter(
      `price ${currency}`,
      () => new Intl.NumberFormat('en', { style: 'currency', currency, maximumFractionDigits: 0 }),
    ).format(price);
  } catch {
    return `${price} ${currency}`;
  }
}

/** A number with separators, such as `10,000`. */
export function formatCount(figure: number): string {
  return formatter('figure', () => new Intl.NumberFormat('en')).format(figure);
}

/** A night with its year: `Tue, 9 Aug 2022` for the ISO date `2022-08-09`. Other texts are returned unchanged. */
export function formatNight(stay: string): string {
  return formatDate('night', stay, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
}

/** A night without its year, such as `Tue, 9 Aug`. */
export function formatShortNight(stay: string): string {
  return formatDate('short night', stay, { weekday: 'short', day: 'numeric', month: 'short' });
}

function formatDate(name: string, date: string, options: Intl.DateTimeFormatOptions): string {
  const at = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(at) ? date : dateFormatter(name, options).format(at);
}

/** A time of day, such as `14:03:22 UTC`. */
export function formatTime(at: number): string {
  const clock = dateFormatter('clock', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  return `${clock.format(at)} UTC`;
}

/** A date and time, such as `9 Aug 2022, 14:03 UTC`. */
export function formatDateTime(at: number): string {
  const moment = dateFormatter('moment', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  });
  return `${moment.format(at)} UTC`;
}

/** A wait in words, rounded up, such as `1 second`, `7 seconds` or `2 minutes`. */
export function formatWait(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return seconds <= 90 ? formatQuantity(Math.ceil(seconds), 'second') : formatQuantity(minutes, 'minute');
}

/**
 * A range of waits in words: `about 20 to 45 seconds`, `about 45 seconds to 2 minutes`, `up to 10 minutes`.
 * @param minSeconds whole minutes or hours, or less than a minute; so is `maxSeconds`, which is greater
 */
export function formatWaitRange(minSeconds: number, maxSeconds: number): string {
  const [min, max] = [inUnit(minSeconds), inUnit(maxSeconds)];
  const end = formatQuantity(max.count, max.unit);
  if (minSeconds === 0) return `up to ${end}`;
  const start = min.unit === max.unit ? formatCount(min.count) : formatQuantity(min.count, min.unit);
  return `about ${start} to ${end}`;
}

/** A time in the largest unit of which it is a whole number. */
function inUnit(seconds: number): { count: number; unit: string } {
  if (seconds % 3_600 === 0) return { count: seconds / 3_600, unit: 'hour' };
  return seconds % 60 === 0 ? { count: seconds / 60, unit: 'minute' } : { count: seconds, unit: 'second' };
}

/** A count with its noun, such as `1 order` or `12 orders`. */
export function formatQuantity(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A count of places with its verb: `1 place is`, `3 places are`. */
export function placesAre(count: number): string {
  return count === 1 ? '1 place is' : `${formatCount(count)} places are`;
}

/** A count of people with its verb: `1 person is`, `3 people are`. */
export function peopleAre(count: number): string {
  return count === 1 ? '1 person is' : `${formatCount(count)} people are`;
}

/** The first sentence of an error's text, without the advice that follows it. */
export function firstSentence(words: string): string {
  return words.split(/(?<=\.) /)[0] ?? words;
}

type Formatter = { format(value: number): string };

/** Formatters are slow to create, so each is cached at its first use. */
const formatters = new Map<string, Formatter>();

function formatter(name: string, make: () => Formatter): Formatter {
  const known = formatters.get(name) ?? make();
  formatters.set(name, known);
  return known;
}

function dateFormatter(name: string, options: Intl.DateTimeFormatOptions): Formatter {
  return formatter(
    name,
    () => new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC', hourCycle: 'h23' }),
  );
}
