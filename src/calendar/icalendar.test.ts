import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calendarFile, isDay } from './icalendar.ts';

const at = Date.UTC(2022, 7, 1, 14, 3, 22, 999);
const event = { uid: 'one@example', day: '2022-08-09', summary: 'Flight', description: 'Bring a hat' };

test('a file has its events between the lines that RFC 5545 demands', () => {
  expect(calendarFile([event], at)).toBe(
    [
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//ticket-booking//Orders//EN',
      'CALSCALE:GREGORIAN',
      'BEGIN:VEVENT',
      'UID:one@example',
      'DTSTAMP:20220801T140322Z',
      'DTSTART;VALUE=DATE:20220809',
      'DTEND;VALUE=DATE:20220810',
      'SUMMARY:Flight',
      'DESCRIPTION:Bring a hat',
      'STATUS:CONFIRMED',
      'CLASS:PRIVATE',
      'TRANSP:TRANSPARENT',
      'END:VEVENT',
      'END:VCALENDAR',
      '',
    ].join('\r\n'),
  );
});

test.each([
  ['2022-12-31', '20230101'],
  ['2024-02-28', '20240229'],
  ['2023-02-28', '20230301'],
])('an event on %s ends before %s', (day, end) => {
  expect(calendarFile([{ ...event, day }], at)).toContain(`DTEND;VALUE=DATE:${end}\r\n`);
});

test.each(['', 'soon', '2030-02-30', '2030-1-1', '9999-12-31', '+012030-01-01', '2030-01-01T00'])(
  'the text %j is no day of an event',
  (day) => {
    expect(isDay(day)).toBe(false);
    expect(() => calendarFile([{ ...event, day }], at)).toThrow(RangeError);
  },
);

describe('a text', () => {
  const summaryOf = (summary: string) => {
    const lines = unfolded(calendarFile([{ ...event, summary }], at)).split('\n');
    return lines.find((line) => line.startsWith('SUMMARY:'))?.slice('SUMMARY:'.length);
  };

  test.each([
    ['a;b,c\\d', 'a\\;b\\,c\\\\d'],
    ['one\ntwo\r\nthree\rfour', 'one\\ntwo\\nthree\\nfour'],
    ['a: "b"', 'a: "b"'],
    ['a\ud800b', 'a\ufffdb'],
    ['a\u0000b\u001bc\u007fd\te', 'abcd\te'],
    ['a\nEND:VEVENT\nBEGIN:VALARM', 'a\\nEND:VEVENT\\nBEGIN:VALARM'],
  ])('%j is escaped', (text, escaped) => {
    expect(summaryOf(text)).toBe(escaped);
  });

  test('is folded after 75 octets, between characters', () => {
    const file = calendarFile([{ ...event, summary: 'é'.repeat(40), description: 'x'.repeat(63) }], at);
    const lines = file.split('\r\n');
    const folds = lines.filter((line) => line.startsWith(' '));
    // `SUMMARY:` and 33 letters are 74 octets. `DESCRIPTION:` and 63 letters are exactly 75.
    expect(folds).toEqual([` ${'é'.repeat(7)}`]);
    expect(lines).toContain(`SUMMARY:${'é'.repeat(33)}`);
    expect(lines).toContain(`DESCRIPTION:${'x'.repeat(63)}`);
  });

  test('of any characters is found again, in lines of at most 75 octets', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (summary) => {
        const file = calendarFile([{ ...event, summary }], at);
        for (const line of file.split('\r\n')) {
          expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
          expect(line).not.toMatch(/[\r\n]/);
          expect(line.isWellFormed()).toBe(true);
        }
        const kept = summary
          .toWellFormed()
          .replaceAll(/\r\n?/g, '\n')
          .replaceAll(/(?![\n\t])\p{Cc}/gu, '');
        expect(unescaped(summaryOf(summary) ?? '')).toBe(kept);
      }),
    );
  });
});

/** Joins folded lines again. */
function unfolded(file: string): string {
  return file.replaceAll('\r\n ', '').replaceAll('\r\n', '\n');
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_escape, character: string) => (character === 'n' ? '\n' : character));
}
