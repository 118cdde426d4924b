import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openMongoStore } from '../../../src/storage/mongodb/mongo-store.ts';
import { sampleChange, sampleInventory, sampleOrder, samplePackage } from '../../contract/samples.ts';
import { startMongod } from '../../support/servers/mongod.ts';
import { readHistory } from './read-history.ts';
import { readLedgers, readPayments } from './read-ledger.ts';
import { readStore } from './read-store.ts';

describe('the history', () => {
  async function read(text: string): Promise<unknown[]> {
    const folder = await mkdtemp(join(tmpdir(), 'chaos-history-'));
    try {
      await writeFile(join(folder, 'history.jsonl'), text);
      const entries: unknown[] = [];
      for await (const entry of readHistory(join(folder, 'history.jsonl'))) entries.push(entry);
      return entries;
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it('is read line by line, and may end within the last line', async () => {
    const phase = { kind: 'phase', at: 1, phase: 'load' };
    expect(await read(`${JSON.stringify(phase)}\n${JSON.stringify(phase)}\n{"kind":"ph`)).toEqual([
      phase,
      phase,
    ]);
  });

  it('is refused if a line in the middle is not JSON', async () => {
    await expect(read('{"kind":"ph\n{}\n')).rejects.toThrow(/line 1 of .* is no JSON/);
  });
});

describe('the ledgers', () => {
  it('are read page by page, with the token', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.headers.authorization} ${request.url}`);
      const kind = request.url?.includes('flights') ? 'F' : 'H';
      const isLast = request.url?.includes('cursor=a%2F1') ?? false;
      const reservations = [
        { key: isLast ? 'b' : 'a', number: `${kind}${isLast ? 2 : 1}`, status: 'active', more: 1 },
      ];
      response.end(JSON.stringify(isLast ? { reservations } : { reservations, next: 'a/1' }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/suppliers`;
      expect(await readLedgers(url, 'secret')).toEqual({
        flights: [
          { key: 'a', number: 'F1', status: 'active' },
          { key: 'b', number: 'F2', status: 'active' },
        ],
        hotels: [
          { key: 'a', number: 'H1', status: 'active' },
          { key: 'b', number: 'H2', status: 'active' },
        ],
      });
      expect(asked).toContain('Bearer secret /api/suppliers/flights/reservations');
    } finally {
      server.close();
    }
  });
});

describe('the ledger of the payment provider', () => {
  it('is read page by page', async () => {
    const payment = (key: string) => ({ key, status: 'paid', amount: 100, currency: 'USD' });
    const server = createServer((request, response) => {
      const pages: Record<string, object> = {
        '/api/payments': { payments: [{ ...payment('a'), more: 1 }], next: 'a' },
        '/api/payments?cursor=a': { payments: [payment('b')] },
      };
      response.end(JSON.stringify(pages[request.url ?? '']));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
      expect(await readPayments(url)).toEqual([payment('a'), payment('b')]);
    } finally {
      server.close();
    }
  });
});

describe('the store', () => {
  it('is read in the format that the server writes', async () => {
    await using mongod = await startMongod();
    const store = await openMongoStore({ url: mongod.url });
    try {
      await store.addPackages([samplePackage({ id: 1, quota: 5 })]);
      const ownership = await store.takeOwnership(1, 'instance-1');
      const timeline = [
        { at: 10, event: 'claimed' },
        { at: 12, event: 'flight reserved', detail: 'F1' },
        { at: 20, event: 'confirmed' },
      ] as const;
      const tickets = { flight: { ticketNumber: 'F1' }, hotel: { reservationNumber: 'H1' } };
      const first = sampleOrder(1, { ...tickets, status: 'confirmed', timeline, key: 'k' });
      const { key: _, ...second } = sampleOrder(2, {
        status: 'queued',
        timeline: [{ at: 11, event: 'queued' }],
      });
      const payment = { amount: 10_000, currency: 'EUR', url: 'https://pay.example/1', payBy: 99 };
      const third = sampleOrder(3, { status: 'failed', reason: 'payment_expired', payment });
      const inventory = sampleInventory({ remaining: 4, confirmed: 1, waiting: 1, nextNumber: 4 });
      await store.commit(1, ownership!.fence, sampleChange({ inventory, inserted: [first, second, third] }));
      expect(await readStore(mongod.url)).toEqual({
        packages: [
          {
            ...{ id: 1, price: 100, quota: 5, version: 1, isPaused: false },
            ...{ remaining: 4, held: 0, confirmed: 1, cancelling: 0, waiting: 1, nextNumber: 4 },
          },
        ],
        orders: expect.arrayContaining([
          {
            ...{ id: first.id, packageId: 1, number: 1, email: first.email, key: 'k', status: 'confirmed' },
            ...{ ticketNumber: 'F1', reservationNumber: 'H1' },
            timeline: timeline.map(({ at, event }) => ({ at, event })),
          },
          {
            ...{ id: second.id, packageId: 1, number: 2, email: second.email, status: 'queued' },
            timeline: [{ at: 11, event: 'queued' }],
          },
          {
            ...{ id: third.id, packageId: 1, number: 3, email: third.email, key: 'key-3' },
            ...{ status: 'failed', reason: 'payment_expired', payBy: 99 },
            timeline: third.timeline.map(({ at, event }) => ({ at, event })),
          },
        ]),
      });
    } finally {
      await store.close();
    }
  });
});
