import { describe, expect, it } from 'vitest';
import { fakeNow, fakeOrder } from '../../../test/support/fake-engine.ts';
import type { Reconciled } from '../../audit/reconcile.ts';
import { UnreadableError } from '../../storage/store.ts';
import type { AdminOrder } from '../order-service.ts';
import { ordersFile, reconciliationFile } from './csv-files.ts';
import type { CsvFile } from './send-csv.ts';

async function* pageOf<Item>(...items: Item[]): AsyncGenerator<readonly Item[]> {
  yield items;
}

/** The rows of a file, each with the cells in the order of the columns. */
async function rowsOf<Column extends string>({ columns, open }: CsvFile<Column>): Promise<unknown[][]> {
  const rows: unknown[][] = [];
  for await (const page of await open()) {
    rows.push(...page.map((row) => columns.map((column) => row[column])));
  }
  return rows;
}

describe('orders.csv', () => {
  const ordersOf = (...orders: (AdminOrder | UnreadableError)[]) =>
    ordersFile(() => pageOf(...orders), 'EUR');

  it('has these columns, which other programs read: only add new ones, at the end', () => {
    expect(ordersOf().columns.join()).toBe(
      'id,packageId,number,flight,stay,price,currency,email,status,reason,ticketNumber,reservationNumber,' +
        'createdAt,since,confirmedAt,amount,amountCurrency,payBy,paidAt,paymentCancelledAt',
    );
  });

  it('has everything of an order, with times in UTC', async () => {
    const order = fakeOrder({
      ...{ status: 'cancelled', reason: 'sold_out', number: 7 },
      ...{ flight: { ticketNumber: 'F-1' }, hotel: { reservationNumber: 'H-1' } },
      timeline: [
        { at: fakeNow, event: 'claimed' },
        { at: fakeNow + 1_500, event: 'confirmed' },
        { at: fakeNow + 60_000, event: 'cancelled' },
      ],
    });
    expect(await rowsOf(ordersOf({ order, since: fakeNow + 60_000, health: 'slow' }))).toEqual([
      [
        ...['7Q4M-9XKD-2VBN-H5TR', 1, 7, 'Flight-1', '2022-08-09', 100, 'EUR', 'ana@example.com'],
        ...['cancelled', 'sold_out', 'F-1', 'H-1'],
        ...['2022-08-01T00:00:00.000Z', '2022-08-01T00:01:00.000Z', '2022-08-01T00:00:01.500Z'],
        ...Array(5).fill(undefined),
      ],
    ]);
  });

  it('has the payment of an order in minor units of the currency that it was asked for in', async () => {
    const order = fakeOrder({
      status: 'cancelled',
      payment: { amount: 12_050, currency: 'USD', url: 'https://pay.example/1', payBy: fakeNow + 300_000 },
      timeline: [
        { at: fakeNow, event: 'payment due' },
        { at: fakeNow + 1_000, event: 'paid' },
        { at: fakeNow + 2_000, event: 'payment cancelled' },
      ],
    });
    const [row] = await rowsOf(ordersOf({ order, since: fakeNow }));
    expect([row?.[6], ...(row?.slice(15) ?? [])]).toEqual([
      ...['USD', 12_050, 'USD', '2022-08-01T00:05:00.000Z'],
      ...['2022-08-01T00:00:01.000Z', '2022-08-01T00:00:02.000Z'],
    ]);
  });

  it('leaves cells empty that an order does not have', async () => {
    const [row] = await rowsOf(ordersOf({ order: fakeOrder(), since: fakeNow }));
    expect(row?.slice(8)).toEqual([
      ...['queued', undefined, undefined, undefined],
      ...['2022-08-01T00:00:00.000Z', '2022-08-01T00:00:00.000Z', undefined],
      ...Array(5).fill(undefined),
    ]);
  });

  it('leaves a time empty that no calendar has', async () => {
    const order = fakeOrder({ createdAt: 1e300, timeline: [{ at: 1e300, event: 'confirmed' }] });
    const [row] = await rowsOf(ordersOf({ order, since: fakeNow }));
    expect(row?.slice(12, 15)).toEqual([undefined, '2022-08-01T00:00:00.000Z', undefined]);
  });

  it('names an order that cannot be read', async () => {
    const [row] = await rowsOf(ordersOf(new UnreadableError({ packageId: 3, orderId: 'AAAA' }, 9)));
    expect(row?.filter((cell) => cell !== undefined)).toEqual(['AAAA', 3, 'unreadable']);
  });
});

describe('reconciliation.csv', () => {
  const rows: Reconciled[] = [
    { kind: 'no_order', ledger: 'hotels', orderId: 'BBBB', inLedger: 'H-9' },
    {
      ...{ kind: 'matched', ledger: 'flights', status: 'confirmed' },
      ...{ orderId: 'AAAA', packageId: 1, number: 2 },
      ...{ inOrder: 'F-1', inLedger: 'F-1' },
    },
  ];

  it('has these columns, which other programs read: only add new ones, at the end', async () => {
    const file = reconciliationFile(async () => ({ kind: 'done', value: pageOf(...rows) }));
    expect(file.columns.join()).toBe('result,ledger,orderId,packageId,number,status,inOrder,inLedger');
    expect(await rowsOf(file)).toEqual([
      ['no_order', 'hotels', 'BBBB', undefined, undefined, undefined, undefined, 'H-9'],
      ['matched', 'flights', 'AAAA', 1, 2, 'confirmed', 'F-1', 'F-1'],
    ]);
  });

  it('is not opened if the reconciliation is refused', async () => {
    const file = reconciliationFile(async () => ({ kind: 'refused', code: 'ledger_unavailable' }));
    await expect(file.open()).rejects.toMatchObject({ code: 'ledger_unavailable' });
  });
});
