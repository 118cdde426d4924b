import { describe, expect, test } from 'vitest';
import { AuditedWorld, auditedOrder } from '../../test/support/audit-world.ts';
import { SnapshotExpiredError, StoreUnavailableError, UnreadableError } from '../storage/store.ts';
import { audit } from './audit.ts';
import type { AuditedStore } from './audit-package.ts';
import type { Finding } from './audit-report.ts';
import type { LedgerReader } from './bounded-reads.ts';

function rules(findings: readonly Finding[]): string[] {
  return findings.map(({ rule, orderId = '' }) => `${rule} ${orderId}`.trim());
}

describe('Q1 Q5 Q8 archived orders', () => {
  test.each([
    ['the first', [1]],
    ['some in the middle', [2, 4, 5]],
    ['all that have ended', [1, 2, 4, 5]],
  ])('are no finding: %s', async (_what, numbers) => {
    const world = new AuditedWorld();
    world.archive(...numbers);
    expect(await world.audit()).toMatchObject({ ok: true, orders: 8 - numbers.length, findings: [] });
  });

  test('are no finding when they are the last', async () => {
    const world = new AuditedWorld();
    world.orders.push(auditedOrder(9, 'failed', 'queued 9', 'claimed 9', 'failed 9'));
    world.inventory.nextNumber = 10;
    world.archive(9);
    expect((await world.audit()).findings).toEqual([]);
  });

  test('keep their reservations at suppliers that have a ledger of their own', async () => {
    const world = new AuditedWorld();
    const ledger = { flights: [...world.ledger.flights], hotels: [...world.ledger.hotels] };
    world.archive(1);
    Object.assign(world.ledger, ledger);
    expect((await world.audit()).findings).toEqual([]);
    world.archivedIds = [];
    expect(rules((await world.audit()).findings)).toEqual(['Q8 ID-1', 'Q8 ID-1']);
  });

  test('are missed if they were removed without being counted', async () => {
    const world = new AuditedWorld();
    world.archive(1, 2, 4);
    world.archived = { orders: 1, confirmed: 0 };
    const { findings } = await world.audit();
    expect(rules(findings)).toEqual(['Q5', 'Q5', 'Q5', 'Q1']);
    expect(findings[2]?.message).toBe('3 numbers have no order, but 1 orders were archived');
  });

  test('are missed if they are counted but still there', async () => {
    const world = new AuditedWorld();
    world.archived = { orders: 1, confirmed: 1 };
    expect(rules((await world.audit()).findings)).toEqual(['Q5', 'Q1']);
  });

  test('that are archived while the package is read make the audit read it again', async () => {
    const world = new AuditedWorld();
    let reads = 0;
    world.onRead = (what) => {
      if (what === 'page' && ++reads === 2) world.archive(1, 2);
    };
    expect(await world.audit()).toMatchObject({ ok: true, orders: 6, inMotion: [] });
  });
});

describe('audit', () => {
  test('finds nothing wrong in a correct store, and counts what it read', async () => {
    const world = new AuditedWorld();
    world.reserve('flights', 'public:anybody');
    world.reserve('flights', 'public:cancelled', 'cancelled');
    expect(await world.audit()).toEqual({
      ok: true,
      packages: 1,
      orders: 8,
      reservations: 7,
      publicReservations: 1,
      suppliersRead: true,
      inMotion: [],
      findings: [],
    });
    expect(await audit(world.store)).toMatchObject({ ok: true, suppliersRead: false, reservations: 0 });
  });

  const planted: [string, (world: AuditedWorld) => void, string[]][] = [
    ['Q1 an inventory that does not add up', ({ inventory }) => inventory.remaining++, ['Q1']],
    [
      'Q1 an inventory that adds up but differs from the orders',
      ({ inventory }) => {
        inventory.held--;
        inventory.remaining++;
      },
      ['Q1'],
    ],
    ['Q1 a wrong count of queued orders', ({ inventory }) => inventory.waiting++, ['Q1']],
    ['Q1 a wrong count of cancelling orders', ({ inventory }) => inventory.cancelling--, ['Q1']],
    [
      'Q3 more confirmed orders than the quota',
      (world) => {
        world.package = { ...world.package, quota: 1 };
      },
      ['Q1', 'Q3'],
    ],
    ['Q5 a number given twice', (world) => world.change(5, { number: 4 }), ['Q5 ID-5', 'Q5']],
    [
      'Q5 a missing number',
      (world) => {
        world.orders = world.orders.filter(({ number }) => number !== 2);
      },
      ['Q5'],
    ],
    ['Q5 a wrong next number', ({ inventory }) => inventory.nextNumber++, ['Q5']],
    [
      'Q5 a unit given past an order that still waits',
      (world) => {
        world.change(2, { status: 'queued', timeline: [{ at: 1, event: 'queued' }] });
        world.inventory.waiting++;
      },
      ['Q5'],
    ],
    [
      'Q5 a unit given past an order that was claimed later',
      (world) => world.change(4, auditedOrder(4, 'failed', 'queued 3', 'claimed 20', 'failed 21')),
      ['Q5'],
    ],
    [
      'Q5 a unit given past an order that was withdrawn later',
      (world) => world.change(2, auditedOrder(2, 'withdrawn', 'queued 1', 'withdrawn 20')),
      ['Q5'],
    ],
    ['Q7 a key used twice', (world) => world.change(7, { key: 'key-3' }), ['Q7 ID-7']],
    [
      'Q8 a confirmed order without its numbers',
      (world) => {
        const { hotel: _, ...bare } = world.orders[0]!;
        world.orders[0] = bare;
      },
      ['Q8 ID-1'],
    ],
    [
      'Q8 a confirmed order whose flight is gone',
      (world) => {
        world.ledger.flights = world.ledger.flights.filter(({ key }) => key !== 'ID-1');
      },
      ['Q8 ID-1'],
    ],
    [
      'Q8 a confirmed order whose hotel is cancelled',
      (world) => {
        world.ledger.hotels = world.ledger.hotels.map((each) =>
          each.key === 'ID-1' ? { ...each, status: 'cancelled' } : each,
        );
      },
      ['Q8 ID-1'],
    ],
    [
      'Q8 a confirmed order with another ticket',
      (world) => world.change(1, { flight: { ticketNumber: 'F-other' } }),
      ['Q8 ID-1'],
    ],
    ['Q8 a reservation of a failed order', (world) => world.reserve('flights', 'ID-4'), ['Q8 ID-4']],
    ['Q8 a reservation of a withdrawn order', (world) => world.reserve('hotels', 'ID-2'), ['Q8 ID-2']],
    ['Q8 a reservation of a queued order', (world) => world.reserve('flights', 'ID-8'), ['Q8 ID-8']],
    ['Q8 a reservation without an order', (world) => world.reserve('hotels', 'ID-99'), ['Q8 ID-99']],
    [
      'Q8 a second ticket for one order',
      (world) => world.reserve('flights', 'ID-1', 'active', 'F-second'),
      ['Q8 ID-1'],
    ],
  ];

  test.each(planted)('%s is reported', async (_, plant, expected) => {
    const world = new AuditedWorld();
    plant(world);
    const report = await world.audit();
    expect(report.ok).toBe(false);
    expect(rules(report.findings), JSON.stringify(report.findings)).toEqual(expected);
  });

  describe('Q5 times prove nothing', () => {
    test('if both events are in the same millisecond', async () => {
      const world = new AuditedWorld();
      world.change(7, auditedOrder(7, 'held', 'queued 4', 'claimed 7'));
      expect((await world.audit()).findings).toEqual([]);
    });

    test('if the arrival times show that the clock went back', async () => {
      const world = new AuditedWorld();
      world.change(4, auditedOrder(4, 'failed', 'queued 3', 'claimed 20', 'failed 21'));
      world.change(8, auditedOrder(8, 'queued', 'queued 2'));
      expect((await world.audit()).findings).toEqual([]);
    });

    test('if they differ by less than the allowed clock skew', async () => {
      const world = new AuditedWorld();
      world.change(4, auditedOrder(4, 'failed', 'queued 3', 'claimed 7', 'failed 7'));
      expect(rules((await world.audit()).findings)).toEqual(['Q5']);
      expect((await world.audit({ clockSkewMs: 1000 })).findings).toEqual([]);
    });
  });

  test('Q6 unreadable orders are one finding, and nothing follows from their absence', async () => {
    const world = new AuditedWorld();
    for (const id of ['ID-1', 'ID-4', 'ID-8']) world.spoilt.add(id);
    expect((await world.audit()).findings).toEqual([
      {
        rule: 'Q6',
        packageId: 1,
        orderId: 'ID-1',
        message:
          'order ID-1 of package 1 cannot be read: it was written by a newer release (document version 2): run that ' +
          'release (and 2 more orders)',
      },
    ]);
    // What can be read is still checked.
    world.inventory.remaining = 1;
    expect(rules((await world.audit()).findings)).toEqual(['Q1', 'Q6 ID-1']);
  });

  test('Q6 an unreadable package is a finding, and the others are checked', async () => {
    const world = new AuditedWorld();
    const store = { ...world.store, unreadable: () => [new UnreadableError({ packageId: 7 })] };
    world.inventory.remaining = 1;
    expect((await audit(store)).findings).toEqual([
      { rule: 'Q6', packageId: 7, message: 'package 7 cannot be read: it is damaged' },
      expect.objectContaining({ rule: 'Q1', packageId: 1 }),
    ]);
  });

  test('a package that cannot be read any more during its audit is a finding', async () => {
    const world = new AuditedWorld();
    world.onRead = (what) => {
      if (what === 'package') throw new UnreadableError({ packageId: 1 }, 2);
    };
    expect(rules((await world.audit()).findings)).toEqual(['Q6']);
  });

  describe('a snapshot', () => {
    /** A store whose snapshots end after some pages. */
    function snapshots(world: AuditedWorld, pages: number) {
      let taken = 0;
      const snapshot = async () => {
        taken += 1;
        let left = pages;
        const ordersPage: AuditedStore['ordersPage'] = async (...asked) => {
          if (left-- === 0) throw new SnapshotExpiredError('too old');
          return world.store.ordersPage(...asked);
        };
        return { ...world.store, ordersPage, close: async () => {} };
      };
      return { store: { ...world.store, snapshot }, taken: () => taken };
    }

    test('that becomes too old is given up for its package, which is then read without one', async () => {
      const world = new AuditedWorld();
      const { store, taken } = snapshots(world, 2);
      const orders: number[] = [];
      const report = await audit(store, { pageSize: 3, onProgress: (read) => orders.push(read.orders) });
      expect(report).toMatchObject({ ok: true, orders: 8, inMotion: [] });
      expect([taken(), Math.max(...orders)]).toEqual([1, 8]);
    });

    test('that lasts is used, and any other error ends the audit', async () => {
      const { store, taken } = snapshots(new AuditedWorld(), 9);
      expect(await audit(store, { pageSize: 3 })).toMatchObject({ ok: true, orders: 8 });
      expect(taken()).toBe(1);
      const away = new AuditedWorld();
      away.onRead = () => {
        throw new StoreUnavailableError('away');
      };
      await expect(audit(snapshots(away, 9).store)).rejects.toThrow('away');
    });
  });

  describe('an audit while a server sells', () => {
    /** Runs `change` at the n-th read with this name. */
    function at(world: AuditedWorld, what: string, nth: number, change: () => void): void {
      let seen = 0;
      world.onRead = (read) => {
        if (read === what && ++seen === nth) change();
      };
    }

    test('Q1 a claim between two pages is no finding', async () => {
      const world = new AuditedWorld();
      at(world, 'page', 2, () => {
        world.change(7, auditedOrder(7, 'failed', 'queued 4', 'claimed 8', 'failed 10'));
        world.change(8, auditedOrder(8, 'held', 'queued 9', 'claimed 10'));
        world.inventory.waiting--;
        world.ledger.flights = world.ledger.flights.filter(({ key }) => key !== 'ID-7');
      });
      expect(await world.audit()).toMatchObject({ ok: true, inMotion: [], orders: 8 });
    });

    test('a package that changes in every attempt is not checked, and the report says so', async () => {
      const world = new AuditedWorld();
      world.onRead = (what) => {
        if (what !== 'page') return;
        const { nextNumber } = world.inventory;
        world.orders.push(auditedOrder(nextNumber, 'queued', 'queued 10'));
        world.inventory.nextNumber++;
        world.inventory.waiting++;
        world.inventory.remaining++;
      };
      expect(await world.audit()).toMatchObject({ ok: true, inMotion: [1] });
    });

    test('Q8 an order that is confirmed while the ledger is read is no finding', async () => {
      const world = new AuditedWorld();
      at(world, 'hotels', 2, () => {
        world.change(7, auditedOrder(7, 'confirmed', 'queued 4', 'claimed 8', 'confirmed 11'));
        world.ledger.hotels.unshift({ key: 'ID-7', number: 'H-ID-7', status: 'active' });
      });
      expect((await world.audit()).findings).toEqual([]);
    });

    test('Q8 an order that is cancelled while the ledger is read is no finding', async () => {
      const world = new AuditedWorld();
      at(world, 'flights', 1, () => {
        world.change(1, { status: 'cancelled' });
        world.ledger.flights = world.ledger.flights.map((each) =>
          each.key === 'ID-1' ? { ...each, status: 'cancelled' } : each,
        );
        world.ledger.hotels = world.ledger.hotels.map((each) =>
          each.key === 'ID-1' ? { ...each, status: 'cancelled' } : each,
        );
      });
      expect((await world.audit()).findings).toEqual([]);
    });

    test('Q8 a cancellation between a page of the ledger and its orders is no finding', async () => {
      const world = new AuditedWorld();
      at(world, 'orders', 1, () => {
        world.change(1, { status: 'cancelled' });
        world.ledger.flights = world.ledger.flights.map((each) =>
          each.key === 'ID-1' ? { ...each, status: 'cancelled' } : each,
        );
        world.ledger.hotels = world.ledger.hotels.filter(({ key }) => key !== 'ID-1');
      });
      expect((await world.audit()).findings).toEqual([]);
    });
  });

  test.each([1, 2, 7])('a ledger whose last %i pages go round in a circle ends the audit', async (length) => {
    const world = new AuditedWorld();
    const after = (page: number) => String(page < 5 + length ? page + 1 : 6);
    const circling: LedgerReader = {
      ledger: async (_, cursor = '0') => ({ items: [], next: after(Number(cursor)) }),
    };
    await expect(world.audit({ suppliers: circling })).rejects.toThrow(/does not go on after \d/);
  });
});
