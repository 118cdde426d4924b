import { expect, test } from 'vitest';
import { textsOf } from './texts/index.ts';

const at = Date.UTC(2022, 7, 9, 14, 3, 22);

/** Intl separates a number from its unit with a no-break space, in some releases with a narrow one. */
const plain = (text: string) => text.replaceAll(/\s/g, ' ');

test.each([
  ['en', ['$1,250', '10,000', 'Tue, 9 Aug 2022', 'Tue 9 Aug', '14:03:22 UTC', '9 Aug 2022, 14:03 UTC']],
  [
    'de',
    ['1.250 $', '10.000', 'Di., 9. Aug. 2022', 'Di., 9. Aug.', '14:03:22 UTC', '9. Aug. 2022, 14:03 UTC'],
  ],
] as const)('prices, numbers, nights and times in %s', (language, expected) => {
  const { price, count, night, shortNight, time, dateTime } = textsOf(language).formats;
  expect(
    [
      price(1250, 'USD'),
      count(10_000),
      night('2022-08-09'),
      shortNight('2022-08-09'),
      time(at),
      dateTime(at),
    ].map(plain),
  ).toEqual(expected);
  expect([price(1250, 'X'), night('soon')]).toEqual(['1250 X', 'soon']);
});

test.each([
  [
    'en',
    ['1 second', '7 seconds', '90 seconds', '2 minutes', '50 minutes'],
    ['1 place left', '0 places left'],
  ],
  [
    'de',
    ['1 Sekunde', '7 Sekunden', '90 Sekunden', '2 Minuten', '50 Minuten'],
    ['Noch 1 Platz', 'Noch 0 Plätze'],
  ],
] as const)('waits and plurals in %s', (language, waits, places) => {
  const { formats, stay } = textsOf(language);
  expect([0.3, 6.2, 90, 91, 3_000].map(formats.wait).map(plain)).toEqual(waits);
  expect([1, 0].map(stay.placesLeft)).toEqual(places);
});

test.each([
  ['en', ['20|45 seconds', '45 seconds|2 minutes', '1|3 minutes', '45 minutes|1 hour', '1|3 hours']],
  ['de', ['20|45 Sekunden', '45 Sekunden|2 Minuten', '1|3 Minuten', '45 Minuten|1 Stunde', '1|3 Stunden']],
] as const)('ranges of waits in %s', (language, expected) => {
  const { waitRange } = textsOf(language).formats;
  const ranges = [
    [20, 45],
    [45, 120],
    [60, 180],
    [2_700, 3_600],
    [3_600, 10_800],
  ] as const;
  expect(ranges.map(([min, max]) => plain(waitRange(min, max).join('|')))).toEqual(expected);
});
