import { expect, test } from 'vitest';
import { durationWords, listed, msWords, paymentWords, rateWords, shortMomentWords } from './format.ts';

test.each([
  [-5, '0\u00a0s'],
  [119_999, '119\u00a0s'],
  [120_000, '2\u00a0min'],
  [7_200_000, '2\u00a0h'],
  [12_000_000, '3\u00a0h\u00a020\u00a0min'],
  [187_200_000, '2\u00a0d\u00a04\u00a0h'],
])('%i ms are shown as %s', (ms, said) => {
  expect(durationWords(ms)).toBe(said);
});

test('small rates and times have one decimal', () => {
  expect([0, 0.44, 12.44, 99.96, 100.4, 12_345].map(rateWords)).toEqual([
    ...['0', '0.4', '12.4', '100.0', '100', '12,345'],
  ]);
  expect([0, 0.81, 12.3, 1234].map(msWords)).toEqual([
    '0\u00a0ms',
    '0.8\u00a0ms',
    '12\u00a0ms',
    '1,234\u00a0ms',
  ]);
});

test('a time is shown with its year unless that is the current year', () => {
  const now = Date.UTC(2026, 10, 24);
  expect(shortMomentWords(Date.UTC(2026, 10, 24, 11, 24), now)).toBe('24 Nov, 11:24');
  expect(shortMomentWords(Date.UTC(2027, 0, 1, 0, 5), now)).toBe('1 Jan 2027, 00:05');
});

test('a long list is shortened', () => {
  expect(listed([])).toBe('');
  expect(listed(['1', '2'])).toBe('1 and 2');
  expect(listed(['1', '2', '3', '4', '5', '6'])).toBe('1, 2, 3, 4 and 2 more');
});

test('a payment is shown in units of its currency, and until when it was due', () => {
  expect(paymentWords({ amount: 12_050, currency: 'EUR' })).toBe('€120.50');
  const payBy = Date.UTC(2026, 10, 24, 11, 24);
  expect(paymentWords({ amount: 120, currency: 'JPY', url: 'https://pay.example/1', payBy })).toBe(
    '¥120, due until 24 Nov 2026, 11:24 UTC',
  );
});
