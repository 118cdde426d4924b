/* Writes calendar files in the format iCalendar (RFC 5545). */

/** An event of a whole day, without a time of day. */
export interface DayEvent {
  /** Unique among all events of all calendars. A calendar replaces an event by a later one with the same uid. */
  readonly uid: string;
  /** The day, as an ISO date such as `2022-08-09`. */
  readonly day: string;
  readonly summary: string;
  /** May have several lines, separated by `\n`. */
  readonly description: string;
}

const product = '-//ticket-booking//Orders//EN';
const dayMs = 24 * 60 * 60 * 1000;

/**
 * The text of a calendar file, with CRLF at the end of each line and at most 75 octets in one.
 *
 * Events are marked as private, because calendars are often shared, and do not block their day, because they do not say
 * when on that day something happens.
 * @param at when the events were last changed, as Unix time in ms
 * @throws RangeError for an event whose day is no date, see {@link isDay}
 */
export function calendarFile(events: readonly DayEvent[], at: number): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    `PRODID:${product}`,
    'CALSCALE:GREGORIAN',
    ...events.flatMap((event) => eventLines(event, at)),
    'END:VCALENDAR',
  ];
  return lines.map((line) => `${folded(line)}\r\n`).join('');
}

/** Whether a text is a date that a calendar file can have: an ISO date with a next day. */
export function isDay(text: string): boolean {
  return isDate(text) && isDate(dayAfter(text));
}

function eventLines({ uid, day, summary, description }: DayEvent, at: number): string[] {
  if (!isDay(day)) throw new RangeError(`${day} is no date`);
  return [
    'BEGIN:VEVENT',
    `UID:${escaped(uid)}`,
    `DTSTAMP:${utcTime(at)}`,
    `DTSTART;VALUE=DATE:${plainDate(day)}`,
    // The first day that no longer belongs to the event (RFC 5545, section 3.6.1).
    `DTEND;VALUE=DATE:${plainDate(dayAfter(day))}`,
    `SUMMARY:${escaped(summary)}`,
    `DESCRIPTION:${escaped(description)}`,
    'STATUS:CONFIRMED',
    'CLASS:PRIVATE',
    'TRANSP:TRANSPARENT',
    'END:VEVENT',
  ];
}

/** Whether a text is a date of the Gregorian calendar such as `2022-08-09`, with a year of four digits. */
function isDate(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(at) && isoDate(at) === text;
}

function dayAfter(day: string): string {
  return isoDate(Date.parse(`${day}T00:00:00Z`) + dayMs);
}

function isoDate(at: number): string {
  return new Date(at).toISOString().split('T', 1)[0] as string;
}

/** `20220809` */
function plainDate(day: string): string {
  return day.replaceAll('-', '');
}

/** A moment as `20220809T140322Z`. */
function utcTime(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '');
}

/** A value of type TEXT (RFC 5545, section 3.3.11). Control characters are not allowed in it and left out. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\\;,]/g, '\\$&')
    .replaceAll(/\r\n|\r|\n/g, '\\n')
    .replaceAll(/(?!\t)\p{Cc}/gu, '');
}

const octetsMax = 75;

/**
 * Folds a line (RFC 5545, section 3.1): a line break and a space, which belongs to the next line, divide it. Only between
 * characters, so that each line is valid UTF-8.
 */
function folded(line: string): string {
  let text = '';
  let octets = 0;
  for (const character of line) {
    const length = Buffer.byteLength(character);
    if (octets + length > octetsMax) {
      text += '\r\n ';
      octets = 1;
    }
    text += character;
    octets += length;
  }
  return text;
}
