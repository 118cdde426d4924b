import { expect, it } from 'vitest';
import { evaluate, parseAssertion } from './assertions.ts';
import type { Run } from './results.ts';

const outcome = { count: 980, mean: 1, p50: 1, p90: 2, p99: 49.9, p999: 80, max: 90, curve: [] };
const run: Run = {
  round: 1,
  parameters: {},
  figures: { finished: 980, confirmedPerSecond: 900, answered: 1000 },
  latencies: { outcome, answer: { ...outcome, p99: 1, max: 1 } },
  answers: { '201': 900, '409 queue_full': 5, '409 sold_out': 5, '502 supplier_failed': 70 },
  dropped: 0,
  errors: 0,
  cpu: {},
  audit: { verdict: 'none', detail: '' },
};

const evaluated = (text: string, of = run, isReadOnly = false) => {
  const assertion = parseAssertion(text);
  if (!assertion) throw new Error(`${text} is no assertion`);
  return evaluate(assertion, of, isReadOnly);
};

it.each([
  ['p99<50ms', true],
  ['p99 < 49.9', false],
  ['p99<=49.9', true],
  ['max≤0.09s', true],
  ['p999>1s', false],
  ['finished>=980', true],
  ['confirmed<=900', true],
  ['goodput ≥ 901/s', false],
  ['answered>999', true],
  ['dropped<=0', true],
  ['errors<=0', true],
  ['errors<0', false],
])('evaluates %s', (text, holds) => {
  expect(evaluated(text).holds).toBe(holds);
});

it.each([
  '401',
  '404 not_found',
  '409 not_open',
  '422 invalid',
  '429 rate_limited',
  '500',
  '502',
  '503 overloaded',
])('counts %s as an error', (name) => {
  const failing = { ...run, answers: { ...run.answers, [name]: 3 }, errors: 2 };
  expect(evaluated('errors<=4', failing)).toMatchObject({ value: 5, holds: false });
});

it('does not count a 202 as an error', () => {
  expect(evaluated('errors<=0', { ...run, answers: { ...run.answers, '202': 3 } }).value).toBe(0);
});

it('counts every answer to a look-up except 2xx as an error', () => {
  const looked = { ...run, answers: { '200': 9, '409 sold_out': 1 }, latencies: { shown: outcome } };
  expect(evaluated('errors<=0', looked, true).value).toBe(1);
  expect(evaluated('p99<50', looked, true).holds).toBe(true);
});

it.each([
  // With 980 outcomes, 9 errors are 0.91 % and 10 are 1.01 %.
  ['p99<50', { errors: 9 }, true],
  ['p99<50', { errors: 10 }, false],
  ['p99<50', { dropped: 10 }, false],
  ['p99<50', { answers: { ...run.answers, '429 rate_limited': 10 } }, false],
  ['p99<50', { dropped: 4, errors: 3, answers: { ...run.answers, '503': 3 } }, false],
  ['p90<50', { errors: 10 }, true],
  ['p90<50', { errors: 109 }, false],
  ['p99<50', { answers: { ...run.answers, '202': 10 } }, false],
  ['p50<50', { errors: 979 }, true],
  ['p50<50', { errors: 980 }, false],
  ['p999<100', { errors: 1 }, false],
  ['max<100', { errors: 1 }, false],
  // 20 of 2,000 requests are exactly 1 %.
  ['p99<50', { latencies: { outcome: { ...outcome, count: 1980 } }, errors: 20 }, false],
] as const)('holds %s with %o: %s', (text, failing, holds) => {
  const { holds: held, why } = evaluated(text, { ...run, ...failing });
  expect(held).toBe(holds);
  expect(why === undefined).toBe(holds);
});

it('fails every latency condition when no request had an outcome', () => {
  const rejected = { ...run, latencies: { answer: outcome }, answers: { '401': 1000 } };
  for (const text of ['p99<50ms', 'p99>50ms', 'max<50ms']) {
    expect(evaluated(text, rejected).holds).toBe(false);
    expect(evaluated(text, { ...run, latencies: {}, answers: {} }).holds).toBe(false);
  }
});

it.each(['p99', 'p99=5', 'p98<5', 'errors<5ms', 'finished>5ms', 'p99<5/s', 'p99<', '<5', ''])(
  'takes no %s',
  (text) => {
    expect(parseAssertion(text)).toBeUndefined();
  },
);
