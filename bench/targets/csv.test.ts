import { expect, it } from 'vitest';
import { csvOf } from './csv.ts';
import { offeredOf, rateAt, shortened } from './offered.ts';

it('has one row for each second, with empty cells for missing values', () => {
  const quiet = { second: 1, finished: 0, confirmed: 0, accepted: 0, errors: 0, dropped: 0 };
  const busy = { second: 0, finished: 7, confirmed: 3, accepted: 1, errors: 1, dropped: 1 };
  const rows = csvOf([{ ...busy, p50: 1.5, p99: 20, max: 30 }, quiet], {
    startedAt: new Date('2030-01-01T00:00:00Z'),
    offeredAt: (second) => (second === 0 ? 10 : undefined),
  });
  expect(rows.split('\r\n')).toEqual([
    'second,time,offered,requests,finished,confirmed,accepted,errors,dropped,error_rate,p50_ms,p99_ms,max_ms',
    '0,2030-01-01T00:00:00.000Z,10,10,7,3,1,1,1,0.2,1.5,20,30',
    '1,2030-01-01T00:00:01.000Z,,0,0,0,0,0,0,,,,',
    '',
  ]);
});

it('has the offered rate of each second', () => {
  const stages = [
    { rate: 100, seconds: 2 },
    { rate: 500, seconds: 2 },
  ];
  const load = { stages, seconds: 4 };
  expect([0, 1, 2, 3, 4].map((second) => rateAt(load, second))).toEqual([100, 100, 500, 500, 500]);
  expect(offeredOf(load)).toBe(300);
  expect(offeredOf({ rate: 7, seconds: 1 })).toBe(7);
  expect(offeredOf({ seconds: 1 })).toBeUndefined();
  // A stopped load ends with a shorter stage.
  expect(shortened(load, 3).stages).toEqual([stages[0], { rate: 500, seconds: 1 }]);
  expect(offeredOf(shortened(load, 1))).toBe(100);
  expect(offeredOf(shortened({ rate: 7, seconds: 9 }, 2))).toBe(7);
});
