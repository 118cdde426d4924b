import { expect, it } from 'vitest';
import { sequencesOf } from './fault-sequences.ts';
import {
  calmFigure,
  expectedFaults,
  expectedFigures,
  faultsOf,
  frequentFigures,
  paymentFigures,
  weaknesses as weaknessesOf,
} from './report.ts';
import { faultName, RunCounts } from './run-counts.ts';

const all = new Map(expectedFaults(true).map((fault) => [fault, 1]));

const checked = Object.fromEntries([...expectedFigures, ...paymentFigures].map((figure) => [figure, 1]));

/** Of a run with payments. */
const weaknesses = (
  minutes: number,
  sold: ReturnType<typeof sales>,
  faults: ReadonlyMap<string, number>,
  counts: Readonly<Record<string, number>>,
) => weaknessesOf(minutes, sold, faults, counts, true);

const sales = (confirmed: number) => ({ purchases: 12, decided: 10, orders: 10, confirmed });

it('accepts a run with sales and all kinds of faults', () => {
  expect(weaknesses(2, sales(7), all, checked)).toEqual([]);
});

it('fails a run without sales, or without one kind of fault', () => {
  expect(weaknesses(2, sales(0), all, checked)).toHaveLength(1);
  for (const fault of expectedFaults(true)) {
    const others = new Map([...all].filter(([name]) => name !== fault));
    expect(weaknesses(2, sales(7), others, checked)).toEqual([
      { rule: 'hollow', words: `the fault '${fault}' never happened` },
    ]);
  }
});

it('fails a run in which the operators did nothing', () => {
  expect(weaknesses(2, sales(7), all, { ...checked, 'erase 200': 0 })).toEqual([
    { rule: 'hollow', words: "there was no 'erase 200'" },
  ]);
});

it('requires payments and their faults of a run with payments alone', () => {
  const unpaid = Object.fromEntries(expectedFigures.map((figure) => [figure, 1]));
  const others = new Map(expectedFaults(false).map((fault) => [fault, 1]));
  expect(weaknessesOf(2, sales(7), others, unpaid, false)).toEqual([]);
  expect(weaknesses(2, sales(7), all, unpaid)).toHaveLength(paymentFigures.length);
  expect(weaknesses(2, sales(7), others, checked)).toHaveLength(faultsOf('payments').length);
});

it('requires of a run of 5 minutes that its isolation was judged', () => {
  expect(weaknesses(5, sales(7), all, { ...checked, [calmFigure]: 1 })).toEqual([]);
  expect(weaknesses(5, sales(7), all, checked)).toEqual([
    { rule: 'hollow', words: `there was no '${calmFigure}'` },
  ]);
});

it('fails a run with few confirmed orders or few answers', () => {
  expect(weaknesses(1, sales(1), all, checked)).toHaveLength(1);
  expect(weaknesses(1, { ...sales(7), decided: 2 }, all, checked)).toHaveLength(1);
});

it('requires of a short run only one fault of each sequence, and the most frequent changes', () => {
  const sequences = sequencesOf(true);
  const some = new Map(sequences.map((sequence) => [faultsOf(sequence)[0] as string, 1]));
  const frequent = Object.fromEntries(frequentFigures.map((figure) => [figure, 1]));
  for (const minutes of [0.5, 1.9]) {
    expect(weaknesses(minutes, sales(7), some, frequent)).toEqual([]);
    for (const figure of frequentFigures)
      expect(weaknesses(minutes, sales(7), some, { ...frequent, [figure]: 0 })).toEqual([
        { rule: 'hollow', words: `there was no '${figure}'` },
      ]);
    for (const sequence of sequences.filter((each) => !/instances/.test(each))) {
      const others = new Map([...some].filter(([fault]) => !faultsOf(sequence).includes(fault)));
      expect(weaknesses(minutes, sales(7), others, frequent)).toEqual([
        { rule: 'hollow', words: `no fault of '${sequence}' happened` },
      ]);
    }
  }
  // Both sequences of instances have the same kinds.
  const withoutInstances = new Map([...some].filter(([fault]) => !faultsOf('instances').includes(fault)));
  expect(weaknesses(0.5, sales(7), withoutInstances, frequent)).toHaveLength(2);
  expect(weaknesses(0.2, sales(7), new Map(), {})).toEqual([]);
});

it('names faults of links by the ends of the link, like the expected faults', () => {
  const targets = ['clients to instance-1', 'instance-2 to redis', 'instance-3 to suppliers', 'mongod-1'];
  const names = targets.map((target) => faultName('cut', target));
  expect(names).toEqual(['cut clients', 'cut redis', 'cut suppliers', 'cut mongodb']);
  expect(expectedFaults(false)).toEqual(expect.arrayContaining(names));
  expect(faultName('kill', 'instance-1')).toBe('kill');
});

it('counts answers, orders and faults', () => {
  const counts = new RunCounts();
  const asked = { packageId: 1, email: 'a@example.com', origin: 'http://a', sentAt: 1, endedAt: 2 } as const;
  const order = { id: 'A', packageId: 1, email: 'a@example.com', status: 'confirmed' };
  counts.record({ kind: 'purchase', ...asked, status: 201, order });
  counts.record({ kind: 'purchase', ...asked, status: 201, order });
  counts.record({ kind: 'purchase', ...asked, status: 409, code: 'sold_out' });
  counts.record({ kind: 'purchase', ...asked, error: 'ECONNRESET' });
  counts.record({ kind: 'fault', at: 1, fault: 'kill', target: 'instance-1' });
  expect(Object.fromEntries(counts.answers)).toEqual({
    '201 confirmed': 2,
    '409 sold_out': 1,
    'no answer ECONNRESET': 1,
  });
  expect([counts.requests, counts.orders, counts.confirmed]).toEqual([4, 1, 1]);
  expect(counts.sample).toEqual([{ orderId: 'A', email: 'a@example.com' }]);
  expect(Object.fromEntries(counts.faults)).toEqual({ kill: 1 });
});
