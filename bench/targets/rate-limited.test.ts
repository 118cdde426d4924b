import { expect, it } from 'vitest';
import { formatRateLimits, rateLimitAdvice, rateLimitedShare } from './rate-limited.ts';

const usual = { isReadOnly: false, isLimitAllowed: false };

it('returns nothing if no answer was 429', () => {
  expect(rateLimitedShare({ answers: {} })).toBe(0);
  expect(formatRateLimits({ answers: { '201': 5 } }, usual)).toBeUndefined();
});

it('calls a run unusable if more than 1 % of the answers are 429, unless --allow-429 is given', () => {
  const over = { answers: { '201': 334, '429 rate_limited': 1465 } };
  expect(formatRateLimits(over, usual)).toMatch(/^81\.4 % of the answers are 429\. NOT USABLE/);
  expect(formatRateLimits(over, usual)).toContain(rateLimitAdvice(false));
  expect(formatRateLimits(over, { ...usual, isLimitAllowed: true })).toMatch(/Allowed by --allow-429/);
  const few = formatRateLimits({ answers: { '201': 99, '429 rate_limited': 1 } }, usual);
  expect(few).not.toContain('NOT USABLE');
});

it('names the setting of the limit', () => {
  expect(rateLimitAdvice(false)).toContain('RATE_LIMIT=off npm run cluster');
  expect(rateLimitAdvice(false)).toContain('RATE_LIMIT_PURCHASES');
  expect(rateLimitAdvice(true)).toContain('RATE_LIMIT_READS');
});
