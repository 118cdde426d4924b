import { describe, expect, it } from 'vitest';
import { AuditedWorld } from '../../test/support/audit-world.ts';
import { LedgerForbiddenError } from '../suppliers/suppliers.ts';
import { openLedger } from './bounded-reads.ts';
import { reconcile } from './reconcile.ts';

/** Order 1 is confirmed and paid, 3 is being cancelled, 4 has failed, 5 is cancelled, 6 compensates, 7 is payable, 8 waits. */
function paidWorld(): AuditedWorld {
  const world = new AuditedWorld();
  for (const number of [1, 3, 5]) {
    const { timeline = [] } = world.orders.find((order) => order.number === number) ?? {};
    const paid = { at: 2_500, event: 'paid' } as const;
    world.change(number, { timeline: [...timeline.slice(0, 1), paid, ...timeline.slice(1)] });
  }
  world.change(7, { status: 'payable' });
  world.pay(1, 'paid');
  world.pay(3, 'paid');
  world.pay(4, 'cancelled');
  world.pay(5, 'refunded');
  world.pay(6, 'due');
  world.pay(7, 'due');
  world.pay(8);
  return world;
}

const findingsOf = async (world: AuditedWorld) =>
  (await world.audit()).findings.map(({ rule, orderId, message }) => `${rule} ${orderId}: ${message}`);

async function rowsOf(world: AuditedWorld): Promise<string[]> {
  const rows: string[] = [];
  for await (const page of reconcile(world.store, world.suppliers, { pageSize: 3 }))
    for (const { kind, ledger, orderId } of page) if (ledger === 'payments') rows.push(`${kind} ${orderId}`);
  return rows;
}

describe('Q11 the audit of the payments', () => {
  it('finds nothing where nothing is wrong, and counts what is due or paid', async () => {
    const { findings, payments } = await paidWorld().audit();
    expect([findings, payments]).toEqual([[], 4]);
    expect((await new AuditedWorld().audit()).payments).toBeUndefined();
  });

  const planted: [string, (world: AuditedWorld) => void, string[], string[]][] = [
    [
      'a confirmed order that is not paid',
      (world) => void world.payments?.shift(),
      ['Q11 ID-1: the order is confirmed, but 10000 EUR is not paid at the provider'],
      ['missing ID-1'],
    ],
    ...(['due', 'declined', 'cancelled', 'refunded'] as const).map(
      (status): [string, (world: AuditedWorld) => void, string[], string[]] => [
        `a confirmed order whose payment is ${status}`,
        (world) => {
          world.payments?.shift();
          world.pay(1, status);
        },
        ['Q11 ID-1: the order is confirmed, but 10000 EUR is not paid at the provider'],
        ['missing ID-1'],
      ],
    ),
    [
      'a payment of another amount',
      (world) => {
        world.payments?.shift();
        world.pay(1, 'paid', 9_999);
      },
      ['Q11 ID-1: 9999 EUR is paid, but the order costs 10000 EUR'],
      ['other_number ID-1'],
    ],
    [
      'a payment for an order that needs none',
      (world) => {
        const { payment: _, ...free } = world.orders.find(({ number }) => number === 1)!;
        world.orders = world.orders.map((order) => (order.number === 1 ? free : order));
      },
      ['Q11 ID-1: 10000 EUR is paid for an order that needs no payment'],
      ['no_number ID-1'],
    ],
    ...(['paid', 'due'] as const).map(
      (status): [string, (world: AuditedWorld) => void, string[], string[]] => [
        `a payment of a failed order that is ${status}`,
        (world) => {
          world.payments = world.payments?.filter(({ key }) => key !== 'ID-4');
          world.pay(4, status);
        },
        ['Q11 ID-4: 10000 EUR is due or paid for an order that is failed'],
        ['ended ID-4'],
      ],
    ),
    [
      'a payment of an order that still waits',
      (world) => world.pay(8, 'paid'),
      ['Q11 ID-8: 10000 EUR is due or paid for an order that has no unit yet'],
      ['too_early ID-8'],
    ],
    [
      'a payment of no order',
      (world) => world.payments?.push({ key: 'ID-0', status: 'paid', amount: 1, currency: 'EUR' }),
      ['Q11 ID-0: 1 EUR is due or paid for no order'],
      ['no_order ID-0'],
    ],
  ];
  it.each(planted)('finds %s', async (_, plant, findings, rows) => {
    const world = paidWorld();
    plant(world);
    expect(await findingsOf(world)).toEqual(findings);
    expect((await rowsOf(world)).slice(0, rows.length)).toEqual(rows);
  });

  it('finds a confirmed order of which nobody has seen that it is paid', async () => {
    const world = paidWorld();
    const { timeline } = world.orders[0]!;
    world.change(1, { timeline: timeline.filter(({ event }) => event !== 'paid') });
    expect(await findingsOf(world)).toEqual([
      'Q11 ID-1: the order is confirmed, but it was not seen that it is paid',
    ]);
  });

  it('compares no order whose payment is at another provider, and says how many there are', async () => {
    const world = paidWorld();
    for (const number of [1, 7]) {
      const payment = { amount: 10_000, currency: 'EUR', provider: 'simulated' };
      world.change(number, { payment });
      world.payments = world.payments?.filter(({ key }) => key !== `ID-${number}`);
    }
    world.provider = 'https://pay.example';
    expect(await world.audit()).toMatchObject({ ok: true, payments: 2, paymentsElsewhere: 2 });
    expect(await rowsOf(world)).toEqual(['in_progress ID-3', 'in_progress ID-6']);
    world.provider = 'simulated';
    expect(await findingsOf(world)).toEqual([
      'Q11 ID-1: the order is confirmed, but 10000 EUR is not paid at the provider',
    ]);
    expect(await world.audit()).not.toHaveProperty('paymentsElsewhere');
  });

  it('does not take another amount for a mistake while its order waits, because it will be refunded', async () => {
    const world = paidWorld();
    world.payments = world.payments?.filter(({ key }) => key !== 'ID-7');
    world.pay(7, 'paid', 9_999);
    expect(await findingsOf(world)).toEqual([]);
  });

  it('does not take an order that is paid and confirmed meanwhile for a mistake', async () => {
    const world = paidWorld();
    let isPaid = false;
    world.onRead = (what) => {
      if (what !== 'orders' || isPaid || !world.payments) return;
      // The page with the due payment was read, and its order is about to be.
      isPaid = true;
      world.payments = world.payments.map((each) =>
        each.key === 'ID-7' ? { ...each, status: 'paid' } : each,
      );
      const paid = { at: 9_000, event: 'paid' } as const;
      world.change(7, { status: 'confirmed', timeline: [...world.orders[6]!.timeline, paid] });
    };
    expect((await findingsOf(world)).filter((finding) => finding.startsWith('Q11'))).toEqual([]);
  });

  it('does not take a payment that is cancelled meanwhile for a mistake', async () => {
    const world = paidWorld();
    world.change(7, { status: 'failed' });
    world.inventory.held = 1;
    world.inventory.remaining = 1;
    let reads = 0;
    world.onRead = (what) => {
      if (what !== 'payments' || ++reads < 5 || !world.payments) return;
      world.payments = world.payments.map((each) =>
        each.key === 'ID-7' ? { ...each, status: 'cancelled' } : each,
      );
    };
    expect((await findingsOf(world)).filter((finding) => finding.startsWith('Q11'))).toEqual([]);
  });
});

it('the reconciliation names the payments that agree or are in progress', async () => {
  expect(await rowsOf(paidWorld())).toEqual([
    'matched ID-1',
    'in_progress ID-3',
    'in_progress ID-6',
    'in_progress ID-7',
  ]);
});

describe('a ledger of payments that demands a token', () => {
  const source = {
    ledger: async () => ({ items: [] }),
    payments: () => Promise.reject(new LedgerForbiddenError('the token is refused (status 401)')),
    paymentsOrigin: 'https://pay.example',
  };

  it('is left out if no token is set', async () => {
    const opened = await openLedger({ ...source, arePaymentsOptional: true }, {});
    expect(opened).toBeDefined();
    expect(opened?.payments).toBeUndefined();
  });

  it('fails the audit if the token is wrong', async () => {
    await expect(openLedger(source, {})).rejects.toThrow(
      "the payment provider's ledger at https://pay.example cannot be read: the token is refused (status 401); check PAYMENTS_TOKEN",
    );
  });
});
