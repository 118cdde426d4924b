import { describe, expect, it } from 'vitest';
import { AuditedWorld, auditedOrder } from '../../test/support/audit-world.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import { LedgerUnavailableError } from './bounded-reads.ts';
import { type Reconciled, reconcile } from './reconcile.ts';

async function rowsOf(world: AuditedWorld): Promise<Reconciled[]> {
  const rows: Reconciled[] = [];
  for await (const page of reconcile(world.store, world.suppliers, { pageSize: 3 })) rows.push(...page);
  return rows;
}

/** For example `matched flights ID-1`. */
async function namesOf(world: AuditedWorld): Promise<string[]> {
  return (await rowsOf(world)).map(({ kind, ledger, orderId }) => `${kind} ${ledger} ${orderId}`);
}

/** What the reconciliation says of a world without a mistake. */
const agreements = [
  'matched flights ID-1',
  'matched hotels ID-1',
  'in_progress flights ID-3',
  'in_progress hotels ID-3',
  'in_progress flights ID-6',
  'in_progress hotels ID-6',
  'in_progress flights ID-7',
];

describe('Q8 the reconciliation', () => {
  it('says what agrees and what is in progress, and nothing of orders without a booking', async () => {
    const world = new AuditedWorld();
    world.reserve('flights', 'public:anybody');
    expect(await namesOf(world)).toEqual(agreements);
    expect((await rowsOf(world))[0]).toEqual({
      ...{ kind: 'matched', ledger: 'flights', status: 'confirmed' },
      ...{ orderId: 'ID-1', packageId: 1, number: 1 },
      ...{ inOrder: 'F-ID-1', inLedger: 'F-ID-1' },
    });
  });

  const without = (...orderIds: string[]) =>
    agreements.filter((name) => !orderIds.some((id) => name.endsWith(id)));
  const planted: [string, (world: AuditedWorld) => void, string[], string[]][] = [
    [
      'a confirmed order whose flight is gone',
      ({ ledger }) => {
        ledger.flights = ledger.flights.filter(({ key }) => key !== 'ID-1');
      },
      ['missing flights ID-1'],
      without('flights ID-1'),
    ],
    [
      'a confirmed order with another ticket',
      (world) => world.change(1, { flight: { ticketNumber: 'F-other' } }),
      ['other_number flights ID-1'],
      without('flights ID-1'),
    ],
    [
      'a confirmed order without its number',
      (world) => {
        const { hotel: _, ...bare } = world.orders[0]!;
        world.orders[0] = bare;
      },
      ['no_number hotels ID-1'],
      without('hotels ID-1'),
    ],
    [
      'a reservation of an order that has ended',
      (world) => world.reserve('flights', 'ID-4'),
      ['ended flights ID-4'],
      agreements,
    ],
    [
      'a reservation of a queued order',
      (world) => world.reserve('flights', 'ID-8'),
      ['too_early flights ID-8'],
      agreements,
    ],
    [
      'a reservation without an order',
      (world) => world.reserve('hotels', 'ID-99'),
      ['no_order hotels ID-99'],
      agreements,
    ],
    [
      'a reservation whose order cannot be read',
      ({ spoilt }) => {
        spoilt.add('ID-3');
      },
      ['unreadable flights ID-3', 'unreadable hotels ID-3'],
      without('ID-3'),
    ],
  ];

  it.each(planted)('names %s before all that agrees', async (_, plant, differences, rest) => {
    const world = new AuditedWorld();
    plant(world);
    expect(await namesOf(world)).toEqual([...differences, ...rest]);
  });

  it('shows the numbers of both sides', async () => {
    const world = new AuditedWorld();
    world.change(1, { flight: { ticketNumber: 'F-other' } });
    world.reserve('hotels', 'ID-99');
    const rows = await rowsOf(world);
    expect(rows[0]).toMatchObject({ orderId: 'ID-1', inOrder: 'F-other', inLedger: 'F-ID-1' });
    expect(rows[1]).toEqual({
      ...{ kind: 'no_order', ledger: 'hotels', orderId: 'ID-99', inLedger: 'H-ID-99' },
    });
  });

  it('leaves out reservations of archived orders', async () => {
    const world = new AuditedWorld();
    const ledger = { flights: [...world.ledger.flights], hotels: [...world.ledger.hotels] };
    world.archive(1);
    Object.assign(world.ledger, ledger);
    expect(await namesOf(world)).toEqual(without('ID-1'));
  });

  it('takes an order that is confirmed or cancelled meanwhile for neither a difference nor a match', async () => {
    const world = new AuditedWorld();
    let reads = 0;
    world.onRead = (what) => {
      if (what !== 'hotels' || ++reads !== 1) return;
      world.change(7, auditedOrder(7, 'confirmed', 'queued 4', 'claimed 8', 'confirmed 11'));
      world.change(1, { status: 'cancelled' });
      world.ledger.flights = world.ledger.flights.filter(({ key }) => key !== 'ID-1');
      world.ledger.hotels = world.ledger.hotels.filter(({ key }) => key !== 'ID-1');
    };
    const names = await namesOf(world);
    expect(names.filter((name) => name.endsWith('ID-1'))).toEqual([]);
    expect(names).toContain('in_progress flights ID-7');
    expect(names).toContain('in_progress hotels ID-7');
  });

  it('begins with an empty page before it reads anything, and stops reading when it is left', async () => {
    const world = new AuditedWorld();
    const reads: string[] = [];
    world.onRead = (what) => reads.push(what);
    const pages = reconcile(world.store, world.suppliers, { pageSize: 3 });
    expect(await pages.next()).toEqual({ done: false, value: [] });
    expect(reads).toEqual([]);
    await pages.return(undefined);
    expect(await pages.next()).toEqual({ done: true, value: undefined });
    expect(reads).toEqual([]);
  });

  it('fails if the store or a ledger fails in the middle', async () => {
    const away = new AuditedWorld();
    away.onRead = () => {
      throw new StoreUnavailableError('away');
    };
    await expect(rowsOf(away)).rejects.toBeInstanceOf(StoreUnavailableError);
    const silent = new AuditedWorld();
    silent.onRead = (what) => {
      if (what === 'hotels') throw new Error('status 500');
    };
    await expect(rowsOf(silent)).rejects.toBeInstanceOf(LedgerUnavailableError);
  });
});
