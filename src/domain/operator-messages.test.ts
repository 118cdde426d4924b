import { describe, expect, test } from 'vitest';
import { DecideFixture } from '../../test/support/decide-fixture.ts';
import type { Erase, PackageMessage, UpdatePackage } from './messages.ts';

const last = (bench: DecideFixture) => bench.answers.at(-1);
const always = Number.MAX_SAFE_INTEGER;

function amend(bench: DecideFixture, change: Partial<UpdatePackage>): PackageMessage {
  return {
    kind: 'update',
    version: bench.state.package.version,
    deadlineAt: always,
    caller: (answer) => bench.answers.push(answer),
    ...change,
  };
}

function retry(bench: DecideFixture, orderId: string): PackageMessage {
  return { kind: 'retry', orderId, deadlineAt: always, caller: (answer) => bench.answers.push(answer) };
}

/** A package with a quota of two and `order-1`, after the given messages. */
async function sold(...messages: ((bench: DecideFixture) => PackageMessage)[]): Promise<DecideFixture> {
  const bench = new DecideFixture({ quota: 2 });
  await bench.batch(bench.purchase({ email: 'ana@example.com', key: 'ana@example.com-1' }));
  for (const message of messages) await bench.batch(message(bench));
  return bench;
}

const booked = (bench: DecideFixture) => bench.booked('order-1');

describe('an update of a package', () => {
  test('changes flight, stay and price only for later orders', async () => {
    const bench = await sold();
    await bench.batch(amend(bench, { flight: 'Flight-8', stay: '2023-01-01', price: 5 }), bench.purchase());
    expect(last(bench)).toMatchObject({ kind: 'accepted' });
    expect(bench.stored.get('order-1')?.package).toEqual({
      flight: 'Flight-7',
      stay: '2022-08-09',
      price: 100,
    });
    expect(bench.stored.get('order-2')?.package).toEqual({
      flight: 'Flight-8',
      stay: '2023-01-01',
      price: 5,
    });
    expect(bench.state.package).toMatchObject({ quota: 2, version: 2 });
  });

  test('is refused if it closes the sale before it opens', async () => {
    const bench = new DecideFixture({ opensAt: 100 });
    await bench.batch(amend(bench, { closesAt: 100 }));
    expect(last(bench)).toMatchObject({ code: 'invalid' });
    await bench.batch(amend(bench, { closesAt: 101 }));
    await bench.batch(amend(bench, { opensAt: 101 }));
    expect(last(bench)).toMatchObject({ code: 'invalid' });
    await bench.batch(amend(bench, { opensAt: null }));
    expect(last(bench)).toMatchObject({ kind: 'updated', package: { closesAt: 101 } });
    expect(bench.state.package).not.toHaveProperty('opensAt');
  });

  test('is recognised as stored already if the package has all values that it sets', async () => {
    const bench = new DecideFixture();
    const { version } = bench.state.package;
    await bench.batch(amend(bench, { price: 7 }));
    await bench.batch(amend(bench, { version, price: 7, inDoubt: true }));
    expect(last(bench)).toMatchObject({ kind: 'updated' });
    await bench.batch(amend(bench, { version, price: 8, inDoubt: true }));
    expect(last(bench)).toMatchObject({ code: 'version_conflict' });
  });
});

describe('a retry', () => {
  test('restarts the saga of an order and stores nothing', async () => {
    for (const bench of [
      await sold(),
      await sold((one) => one.needsCompensation('order-1')),
      await sold(booked, (one) => one.cancel('order-1')),
    ]) {
      const step = await bench.batch(retry(bench, 'order-1'));
      expect(step.change).toBeUndefined();
      expect(step.effects).toMatchObject([{ kind: 'retry', order: { id: 'order-1' } }, { kind: 'answer' }]);
      expect(last(bench)).toMatchObject({ kind: 'accepted', order: { id: 'order-1' } });
    }
  });

  test.each([
    ['a claimed order', 'book', 'held', (one) => [one.purchase(), retry(one, 'order-2')]],
    ['a failed booking', 'compensate', 'compensating', (one) => [one.needsCompensation('order-1')]],
    ['a refused flight', undefined, 'failed', (one) => [one.refused('order-1')]],
    ['a booked order', undefined, 'confirmed', (one) => [one.booked('order-1')]],
    ['a cancel', 'compensate', 'cancelling', (one) => [one.booked('order-1'), one.cancel('order-1')]],
  ] as [string, string | undefined, string, (one: DecideFixture) => PackageMessage[]][])(
    'Q8 leaves one saga, for the status at the end of the batch, if it is in the batch of %s',
    async (_, kind, status, messages) => {
      for (const isBefore of [true, false]) {
        const bench = await sold();
        const batch = messages(bench);
        const id = kind === 'book' ? 'order-2' : 'order-1';
        if (isBefore && kind !== 'book') batch.unshift(retry(bench, id));
        else batch.push(retry(bench, id));
        const { effects } = await bench.batch(...batch);
        const sagas = effects.filter((effect) => effect.kind !== 'answer');
        expect(sagas).toMatchObject(kind === undefined ? [] : [{ kind, order: { id, status } }]);
        expect(bench.stored.get(id)).toMatchObject({ status });
      }
    },
  );

  test('serves the queue if its order is queued', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(amend(bench, { paused: true }));
    bench.state.suppliersAvailable = false;
    await bench.batch(amend(bench, { paused: false }), bench.purchase());
    expect(bench.stored.get('order-1')?.status).toBe('queued');
    bench.state.suppliersAvailable = true;
    await bench.batch(retry(bench, 'order-1'));
    expect(bench.stored.get('order-1')?.status).toBe('held');
  });

  test('is refused if its order has ended or does not exist', async () => {
    const bench = await sold(booked);
    await bench.batch(retry(bench, 'order-1'), retry(bench, 'nobody'));
    expect(bench.answers.slice(-2)).toMatchObject([
      { code: 'not_retryable', order: { id: 'order-1', status: 'confirmed' } },
      { code: 'unknown_order' },
    ]);
  });
});

describe('erasing', () => {
  const erase = (bench: DecideFixture, over: Partial<Erase> = {}): PackageMessage => ({
    kind: 'erase',
    email: 'ana@example.com',
    erasures: [{ orderId: 'order-1', email: 'x@erased.invalid', key: 'erased-x' }],
    deadlineAt: always,
    caller: (answer) => bench.answers.push(answer),
    ...over,
  });

  test('replaces the email, and a key that contains it, in an order that has ended', async () => {
    const bench = await sold(booked);
    const step = await bench.batch(erase(bench));
    expect(step.change).toMatchObject({ inserted: [], updated: [], inventory: bench.state.inventory });
    expect(bench.stored.get('order-1')).toMatchObject({
      status: 'confirmed',
      email: 'x@erased.invalid',
      key: 'erased-x',
    });
    expect(last(bench)).toEqual({ kind: 'erased', left: 0 });
  });

  test('keeps a key without the email, so that Q7 a purchase with that key is refused as reused', async () => {
    const bench = await sold(booked);
    await bench.batch(erase(bench, { erasures: [{ orderId: 'order-1', email: 'x@erased.invalid' }] }));
    await bench.batch(bench.purchase({ email: 'ana@example.com', key: 'ana@example.com-1' }));
    expect(last(bench)).toMatchObject({ code: 'key_reused' });
    expect(last(bench)).not.toHaveProperty('order');
    expect(bench.stored.size).toBe(1);
  });

  test('counts and skips orders that have not ended, because the suppliers need the email', async () => {
    const bench = await sold();
    const step = await bench.batch(erase(bench));
    expect(step.change).toBeUndefined();
    expect(last(bench)).toEqual({ kind: 'erased', left: 1 });
    expect(bench.stored.get('order-1')?.email).toBe('ana@example.com');
  });

  test('can be repeated without effect, and skips orders with another email', async () => {
    const bench = await sold(booked);
    await bench.batch(bench.purchase({ email: 'ben@example.com' }));
    await bench.batch(bench.booked('order-2'));
    await bench.batch(erase(bench));
    const both = ['order-1', 'order-2', 'nobody'].map((orderId) => ({ orderId, email: 'y@erased.invalid' }));
    const step = await bench.batch(erase(bench, { erasures: both }));
    expect(step.change).toBeUndefined();
    expect(bench.stored.get('order-1')?.email).toBe('x@erased.invalid');
    expect(bench.stored.get('order-2')?.email).toBe('ben@example.com');
  });

  test('Q1 can share a batch with a cancel before or after it', async () => {
    const first = await sold(booked);
    const step = await first.batch(erase(first), first.cancel('order-1'));
    expect(step.change).toMatchObject({
      erased: [{ id: 'order-1', status: 'confirmed', email: 'x@erased.invalid' }],
      updated: [{ id: 'order-1', status: 'cancelling', email: 'x@erased.invalid' }],
    });
    const second = await sold(booked);
    await second.batch(second.cancel('order-1'), erase(second));
    expect(second.stored.get('order-1')).toMatchObject({ status: 'cancelling', email: 'ana@example.com' });
    expect(last(second)).toEqual({ kind: 'erased', left: 1 });
  });

  test('skips an order that ends in the same batch', async () => {
    const bench = await sold();
    await bench.batch(bench.booked('order-1'), erase(bench));
    expect(last(bench)).toEqual({ kind: 'erased', left: 1 });
    await bench.batch(erase(bench));
    expect(bench.stored.get('order-1')).toMatchObject({ status: 'confirmed', email: 'x@erased.invalid' });
  });
});
