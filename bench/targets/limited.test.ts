import { expect, it } from 'vitest';
import { limitedInWords, limitedShareOf, remedy } from './limited.ts';

const usual = { isReadOnly: false, isLimitAllowed: false };

it('returns nothing without answers 429', () => {
  expect(limitedShareOf({ answers: {} })).toBe(0);
  expect(limitedInWords({ answers: { '201': 5 } }, usual)).toBeUndefined();
});

it('calls a run unusable above 1 % of 429, unless --allow-429 is given', () => {
  const over = { answers: { '201': 334, '429 rate_limited': 1465 } };
  expect(limitedInWords(over, usual)).toMatch(/^81\.4 % of the answers are 429\. NOT USABLE/);
  expect(limitedInWords(over, usual)).toContain(remedy(false));
  expect(limitedInWords(over, { ...usual, isLimitAllowed: true })).toMatch(/Allowed by --allow-429/);
  const few = limitedInWords({ answers: { '201': 99, '429 rate_limited': 1 } }, usual);
  expect(few).not.toContain('NOT USABLE');
});

it('names the setting that limits', () => {
  expect(remedy(false)).toContain('RATE_LIMIT=off npm run cluster');
  expect(remedy(false)).toContain('RATE_LIMIT_PURCHASES');
  expect(remedy(true)).toContain('RATE_LIMIT_READS');
});
