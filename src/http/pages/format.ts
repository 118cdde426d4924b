/* Formats numbers, prices, dates and times for pages. Times are UTC; scripts convert them to the reader's zone. */

import { minorUnitsOf } from '../../lib/currency.ts';

/** The locales of a language, as BCP 47 tags. */
interface Locales {
  readonly numbers: string;
  readonly dates: string;
}

/** The forms of a text for numbers, by plural category (Unicode CLDR), such as `{ one: '1 order', other: '7 orders' }`. */
export type PluralForms = Readonly<Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }>;

/** The formats of one language. The examples are English. */
export interface Formats {
  /** A price in whole units, such as `$1,250`. An invalid currency code is appended: `1250 X`. */
  readonly price: (price: number, currency: string) => string;
  /** An amount in minor units of an ISO 4217 currency, such as `$120.50` for 12,050 cents. */
  readonly amount: (minorUnits: number, currency: string) => string;
  /** A number with separators, such as `10,000`. */
  readonly count: (count: number) => string;
  /** The form of a text that goes with a number. */
  readonly plural: (count: number, forms: PluralForms) => string;
  /** A number with its noun, such as `1 order` or `12 orders`. */
  readonly quantity: (count: number, nouns: PluralForms) => string;
  /** A wait in seconds in words, rounded up, such as `1 second`, `7 seconds` or `2 minutes`. */
  readonly wait: (seconds: number) => string;
  /**
   * The two ends of a range of waits in words. The first has no unit if both have the same: `20` and `45 seconds`, but
   * `45 seconds` and `2 minutes`. Both are whole minutes or hours, or less than a minute.
   */
  readonly waitRange: (minSeconds: number, maxSeconds: number) => readonly [string, string];
  /** A night with its year: `Tue, 9 Aug 2022` for the ISO date `2022-08-09`. Other texts are returned unchanged. */
  readonly night: (stay: string) => string;
  /** A night without its year, such as `Tue, 9 Aug`. */
  readonly shortNight: (stay: string) => string;
  /** A time of day of a Unix time in ms, such as `14:03:22 UTC`. */
  readonly time: (at: number) => string;
  /** A date and time of a Unix time in ms, such as `9 Aug 2022, 14:03 UTC`. */
  readonly dateTime: (at: number) => string;
}

type Formatter = { format(value: number): string };

type UnitOfWait = 'second' | 'minute' | 'hour';

export function formatsOf({ numbers, dates }: Locales): Formats {
  /** Formatters are slow to create, so each is created at its first use. */
  const formatters = new Map<string, Formatter>();
  let pluralRules: Intl.PluralRules | undefined;

  function cached(name: string, make: () => Formatter): Formatter {
    const formatter = formatters.get(name) ?? make();
    formatters.set(name, formatter);
    return formatter;
  }

  function inUtc(name: string, options: Intl.DateTimeFormatOptions): Formatter {
    return cached(
      name,
      () => new Intl.DateTimeFormat(dates, { ...options, timeZone: 'UTC', hourCycle: 'h23' }),
    );
  }

  function date(name: string, text: string, options: Intl.DateTimeFormatOptions): string {
    const at = Date.parse(`${text}T00:00:00Z`);
    return Number.isNaN(at) ? text : inUtc(name, options).format(at);
  }

  function inUnit(count: number, unit: UnitOfWait): string {
    return cached(
      unit,
      () => new Intl.NumberFormat(numbers, { style: 'unit', unit, unitDisplay: 'long' }),
    ).format(count);
  }

  function count(figure: number): string {
    return cached('count', () => new Intl.NumberFormat(numbers)).format(figure);
  }

  function plural(figure: number, forms: PluralForms): string {
    pluralRules ??= new Intl.PluralRules(numbers);
    return forms[pluralRules.select(figure)] ?? forms.other;
  }

  return {
    count,
    plural,
    price(price, currency) {
      try {
        return cached(
          `price ${currency}`,
          () => new Intl.NumberFormat(numbers, { style: 'currency', currency, maximumFractionDigits: 0 }),
        ).format(price);
      } catch {
        return `${price} ${currency}`;
      }
    },
    amount: (minorUnits, currency) =>
      cached(
        `amount ${currency}`,
        () => new Intl.NumberFormat(numbers, { style: 'currency', currency }),
      ).format(minorUnits / minorUnitsOf(currency)),
    quantity: (figure, nouns) => `${count(figure)} ${plural(figure, nouns)}`,
    wait: (seconds) =>
      seconds <= 90 ? inUnit(Math.ceil(seconds), 'second') : inUnit(Math.ceil(seconds / 60), 'minute'),
    waitRange(minSeconds, maxSeconds) {
      const [min, max] = [wholeUnits(minSeconds), wholeUnits(maxSeconds)];
      const start = min.unit === max.unit ? count(min.count) : inUnit(min.count, min.unit);
      return [start, inUnit(max.count, max.unit)];
    },
    night: (stay) =>
      date('night', stay, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }),
    shortNight: (stay) => date('short night', stay, { weekday: 'short', day: 'numeric', month: 'short' }),
    time(at) {
      const clock = inUtc('clock', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
      return `${clock.format(at)} UTC`;
    },
    dateTime(at) {
      const moment = inUtc('moment', {
        day: 'numeric',
        month: 'short',
        year: 'numeric',
        hour: '2-digit',
        minute: '2-digit',
      });
      return `${moment.format(at)} UTC`;
    },
  };
}

/** A time in the largest unit of which it is a whole number. */
function wholeUnits(seconds: number): { count: number; unit: UnitOfWait } {
  if (seconds % 3_600 === 0) return { count: seconds / 3_600, unit: 'hour' };
  return seconds % 60 === 0 ? { count: seconds / 60, unit: 'minute' } : { count: seconds, unit: 'second' };
}

/**
 * The first sentence of an error's text, without the advice that follows it. So these texts contain no abbreviation with
 * a full stop.
 */
export function firstSentence(words: string): string {
  return words.split(/(?<=\.) /)[0] ?? words;
}
