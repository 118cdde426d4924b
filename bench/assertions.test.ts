import { expect, it } from 'vitest';
import { judge, parseAssertion } from './assertions.ts';
import type { Run } from './results.ts';

const run: Run = {
  round: 1,
  parameters: {},
  figures: { finished: 900, answered: 1000 },
  latencies: { answer: { count: 9, mean: 1, p50: 1, p90: 2, p99: 49.9, p999: 80, max: 90, curve: [] } },
  answers: { '201': 900, '502 supplier_failed': 80, '503 overloaded': 20 },
  dropped: 3,
  errors: 1,
  cpu: {},
  audit: { verdict: 'none', detail: '' },
};

const judged = (text: string, of = run) => {
  const assertion = parseAssertion(text);
  if (!assertion) throw new Error(`${text} is no assertion`);
  return judge(assertion, of);
};

it.each([
  ['p99<50ms', true],
  ['p99 < 49.9', false],
  ['p99<=49.9', true],
  ['max≤0.09s', true],
  ['p999>1s', false],
  ['finished>=900', true],
  ['goodput ≥ 901/s', false],
  ['answered>999', true],
  ['dropped<=2', false],
  ['errors<=21', true],
  ['errors<21', false],
])('judges %s', (text, holds) => {
  expect(judged(text).holds).toBe(holds);
});

it('holds no bound of a latency where nobody was answered', () => {
  expect(judged('p99<50ms', { ...run, latencies: {} }).holds).toBe(false);
  expect(judged('p99>50ms', { ...run, latencies: {} }).holds).toBe(false);
});

it.each(['p99', 'p99=5', 'p98<5', 'errors<5ms', 'finished>5ms', 'p99<5/s', 'p99<', '<5', ''])(
  'takes no %s',
  (text) => {
    expect(parseAssertion(text)).toBeUndefined();
  },
);
