import { expect, it } from 'vitest';
import { expectedFaults, hollow } from './report.ts';
import { nameOf, Tally } from './tally.ts';

const all = new Map(expectedFaults().map((fault) => [fault, 1]));

const sales = (confirmed: number) => ({ purchases: 12, decided: 10, orders: 10, confirmed });

it('accepts a run with sales and all kinds of faults', () => {
  expect(hollow(2, sales(7), all)).toEqual([]);
});

it('fails a run without sales, or without one kind of fault', () => {
  expect(hollow(2, sales(0), all)).toHaveLength(1);
  for (const fault of expectedFaults()) {
    const others = new Map([...all].filter(([name]) => name !== fault));
    expect(hollow(2, sales(7), others)).toEqual([
      { rule: 'hollow', words: `the fault '${fault}' never happened` },
    ]);
  }
});

it('fails a run with few confirmed orders or few answers', () => {
  expect(hollow(1, sales(1), all)).toHaveLength(1);
  expect(hollow(1, { ...sales(7), decided: 2 }, all)).toHaveLength(1);
});

it('does not require all faults in a short run', () => {
  expect(hollow(1, sales(7), new Map())).toEqual([]);
});

it('names faults of links by their ends, like the expected faults', () => {
  const targets = ['clients to instance-1', 'instance-2 to redis', 'instance-3 to suppliers', 'mongod-1'];
  const names = targets.map((target) => nameOf('cut', target));
  expect(names).toEqual(['cut clients', 'cut redis', 'cut suppliers', 'cut mongodb']);
  expect(expectedFaults()).toEqual(expect.arrayContaining(names));
  expect(nameOf('kill', 'instance-1')).toBe('kill');
});

it('counts answers, orders and faults', () => {
  const tally = new Tally();
  const asked = { packageId: 1, email: 'a@example.com', origin: 'http://a', sentAt: 1, endedAt: 2 } as const;
  const order = { id: 'A', packageId: 1, email: 'a@example.com', status: 'confirmed' };
  tally.hear({ kind: 'purchase', ...asked, status: 201, order });
  tally.hear({ kind: 'purchase', ...asked, status: 201, order });
  tally.hear({ kind: 'purchase', ...asked, status: 409, code: 'sold_out' });
  tally.hear({ kind: 'purchase', ...asked, error: 'ECONNRESET' });
  tally.hear({ kind: 'fault', at: 1, fault: 'kill', target: 'instance-1' });
  expect(Object.fromEntries(tally.answers)).toEqual({
    '201 confirmed': 2,
    '409 sold_out': 1,
    'no answer ECONNRESET': 1,
  });
  expect([tally.requests, tally.orders, tally.confirmed]).toEqual([4, 1, 1]);
  expect(tally.sample).toEqual([{ orderId: 'A', email: 'a@example.com' }]);
  expect(Object.fromEntries(tally.faults)).toEqual({ kill: 1 });
});
