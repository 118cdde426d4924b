import { afterEach, describe, expect, test } from 'vitest';
import type { FlightRequest, HotelRequest, SupplierClient } from '../../src/suppliers/suppliers.ts';
import { readWholeLedger } from '../support/read-whole-ledger.ts';

/** A client of new suppliers that no other test uses. */
export interface OpenedClient {
  readonly client: SupplierClient;
  close(): Promise<void>;
}

export interface SupplierBehaviour {
  readonly flightFailureRate: number;
  readonly hotelFailureRate: number;
  readonly latencyMs: number;
}

/** The contract of `SupplierClient`, run on each client and the suppliers behind it. Sagas rely on it. */
export function supplierClientContract(
  name: string,
  open: (behaviour: SupplierBehaviour) => Promise<OpenedClient>,
): void {
  describe(`supplier client contract: ${name}`, () => {
    let opened: OpenedClient | undefined;

    async function start(behaviour: Partial<SupplierBehaviour> = {}): Promise<SupplierClient> {
      opened = await open({ flightFailureRate: 0, hotelFailureRate: 0, latencyMs: 0, ...behaviour });
      return opened.client;
    }
    afterEach(async () => {
      await opened?.close();
      opened = undefined;
    });

    test('reserves a flight, and a hotel with the flight’s ticket', async () => {
      const client = await start();
      const ticket = await reservedFlight(client, 'A');
      const room = await client.reserveHotel(hotel('A', ticket));
      expect(room).toEqual({ kind: 'reserved', number: expect.stringMatching(/^H[0-9A-Z]{16}$/) });
      expect(ticket).toMatch(/^F[0-9A-Z]{16}$/);
      expect(await readWholeLedger(client, 'flights')).toEqual([
        { key: 'A', number: ticket, status: 'active' },
      ]);
      expect(await readWholeLedger(client, 'hotels')).toMatchObject([{ key: 'A', status: 'active' }]);
    });

    test('Q8 a repeated key gets the same answer, and another key gets another number', async () => {
      const client = await start();
      const first = await client.reserveFlight(flight('A'));
      expect(await client.reserveFlight(flight('A'))).toEqual(first);
      expect(await client.reserveFlight(flight('B'))).not.toEqual(first);
      expect(await readWholeLedger(client, 'flights')).toHaveLength(2);
    });

    test('Q8 concurrent duplicates get one answer', async () => {
      const client = await start({ flightFailureRate: 0.5, latencyMs: 20 });
      for (const key of ['A', 'B', 'C', 'D', 'E', 'F']) {
        const answers = await Promise.all(Array.from({ length: 8 }, () => client.reserveFlight(flight(key))));
        expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
      }
    });

    test('Q8 a refusal is final', async () => {
      const client = await start({ flightFailureRate: 1 });
      const refused = { kind: 'refused', code: 'flight_unavailable' };
      expect(await client.reserveFlight(flight('A'))).toEqual(refused);
      expect(await client.reserveFlight(flight('A'))).toEqual(refused);
      expect(await readWholeLedger(client, 'flights')).toEqual([]);
    });

    test('a hotel without a free room refuses with hotel_unavailable', async () => {
      const client = await start({ hotelFailureRate: 1 });
      const ticket = await reservedFlight(client, 'A');
      const refused = { kind: 'refused', code: 'hotel_unavailable' };
      expect(await client.reserveHotel(hotel('A', ticket))).toEqual(refused);
      expect(await client.reserveHotel(hotel('A', ticket))).toEqual(refused);
    });

    test('a hotel refuses a ticket that is unknown, malformed, cancelled or of another flight', async () => {
      const client = await start();
      const ticket = await reservedFlight(client, 'A');
      const room = await client.reserveHotel(hotel('B', await reservedFlight(client, 'B')));
      const invalid = { kind: 'refused', code: 'invalid_ticket' };
      expect(room.kind).toBe('reserved');
      expect(await client.reserveHotel(hotel('A', 'F0000000000000000'))).toEqual(invalid);
      expect(await client.reserveHotel({ ...hotel('A', ticket), packageId: 2 })).toEqual(invalid);
      expect(await client.reserveHotel(hotel('A', (room as { number: string }).number))).toEqual(invalid);
      await client.cancel('flights', 'A');
      expect(await client.reserveHotel(hotel('A', ticket))).toEqual(invalid);
      expect(await readWholeLedger(client, 'hotels')).toHaveLength(1);
    });

    test('a key that came with an invalid ticket still works with a valid one', async () => {
      const client = await start();
      await client.reserveHotel(hotel('A', 'F0000000000000000'));
      const ticket = await reservedFlight(client, 'A');
      expect(await client.reserveHotel(hotel('A', ticket))).toMatchObject({ kind: 'reserved' });
    });

    test('Q8 an answer stays the same when its ticket is cancelled later', async () => {
      const client = await start();
      const ticket = await reservedFlight(client, 'A');
      const room = await client.reserveHotel(hotel('A', ticket));
      await client.cancel('flights', 'A');
      expect(await client.reserveHotel(hotel('A', ticket))).toEqual(room);
    });

    test.each(['flights', 'hotels'] as const)(
      'Q8 a cancel of %s is final, and can be repeated',
      async (kind) => {
        const client = await start();
        const ticket = await reservedFlight(client, 'A');
        await client.reserveHotel(hotel('A', ticket));
        await client.cancel(kind, 'A');
        await client.cancel(kind, 'A');
        expect(await readWholeLedger(client, kind)).toMatchObject([{ key: 'A', status: 'cancelled' }]);
        const again =
          kind === 'flights' ? client.reserveFlight(flight('A')) : client.reserveHotel(hotel('A', ticket));
        expect(await again).toEqual({ kind: 'refused', code: 'cancelled' });
      },
    );

    test('Q8 a reservation that arrives after its cancel is refused', async () => {
      const client = await start();
      await client.cancel('flights', 'A');
      await client.cancel('hotels', 'B');
      expect(await client.reserveFlight(flight('A'))).toEqual({ kind: 'refused', code: 'cancelled' });
      const ticket = await reservedFlight(client, 'B');
      expect(await client.reserveHotel(hotel('B', ticket))).toEqual({ kind: 'refused', code: 'cancelled' });
      expect(await readWholeLedger(client, 'flights')).toMatchObject([{ key: 'B', status: 'active' }]);
      expect(await readWholeLedger(client, 'hotels')).toEqual([]);
    });

    test('Q8 a cancel overtakes a reservation that is under way', async () => {
      const client = await start({ latencyMs: 300 });
      const late = client.reserveFlight(flight('A'));
      await client.cancel('flights', 'A');
      expect(await late).toEqual({ kind: 'refused', code: 'cancelled' });
      expect((await readWholeLedger(client, 'flights')).filter(({ status }) => status === 'active')).toEqual(
        [],
      );
    });

    test('a signal ends the call, and a repetition with the same key returns its result', async () => {
      const client = await start({ latencyMs: 300 });
      const caller = new AbortController();
      const call = client.reserveFlight(flight('A'), caller.signal);
      setTimeout(() => caller.abort(), 20);
      await expect(call).rejects.toThrow();
      await expect(client.reserveFlight(flight('B'), AbortSignal.abort())).rejects.toThrow();
      expect(await client.reserveFlight(flight('A'))).toMatchObject({ kind: 'reserved' });
      expect(await readWholeLedger(client, 'flights')).toMatchObject([{ key: 'A', status: 'active' }]);
    });

    test('public tickets and tickets of orders cannot be used for each other', async () => {
      const client = await start();
      const own = await reservedFlight(client, 'A');
      const theirs = await reservedFlight(client, 'public:A');
      expect(own).not.toBe(theirs);
      const invalid = { kind: 'refused', code: 'invalid_ticket' };
      expect(await client.reserveHotel(hotel('public:A', own))).toEqual(invalid);
      expect(await client.reserveHotel(hotel('A', theirs))).toEqual(invalid);
      expect(await client.reserveHotel(hotel('public:B', theirs))).toMatchObject({ kind: 'reserved' });
    });

    test('accepts any visible ASCII as a key', async () => {
      const client = await start();
      for (const key of ['a/b?c#d%25&e=f', '"quoted\\"', '~'.repeat(255), '__proto__']) {
        const ticket = await reservedFlight(client, key);
        expect(await readWholeLedger(client, 'flights')).toContainEqual({
          key,
          number: ticket,
          status: 'active',
        });
        await client.cancel('flights', key);
        expect(await readWholeLedger(client, 'flights')).toContainEqual({
          key,
          number: ticket,
          status: 'cancelled',
        });
      }
    });

    test('the ledger lists each reservation once over several pages', async () => {
      const client = await start();
      const keys = Array.from({ length: 1100 }, (_, each) => `K${String(each).padStart(4, '0')}`);
      for (let from = 0; from < keys.length; from += 100) {
        await Promise.all(keys.slice(from, from + 100).map((key) => client.reserveFlight(flight(key))));
      }
      const listed = await readWholeLedger(client, 'flights');
      expect(listed).toHaveLength(keys.length);
      expect(new Set(listed.map(({ key }) => key))).toEqual(new Set(keys));
      expect(new Set(listed.map(({ number }) => number)).size).toBe(keys.length);
    });
  });
}

function flight(key: string): FlightRequest {
  return { key, packageId: 1, flight: 'Flight-1', email: 'ana@example.com' };
}

function hotel(key: string, flightTicketNumber: string): HotelRequest {
  return { key, packageId: 1, stay: '2022-08-09', email: 'ana@example.com', flightTicketNumber };
}

async function reservedFlight(client: SupplierClient, key: string): Promise<string> {
  const answer = await client.reserveFlight(flight(key));
  if (answer.kind !== 'reserved') throw new Error(`the flight was refused: ${answer.code}`);
  return answer.number;
}
