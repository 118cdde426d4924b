import { expect, test } from 'vitest';
import { makePackage } from '../../test/support/decide-fixture.ts';
import { fakeOrder } from '../../test/support/fake-engine.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { PackageState } from '../domain/package-state.ts';
import { localLiveBus } from '../realtime/live-bus.ts';
import { decodeChanges, encodeChanges } from '../realtime/redis/protocol.ts';
import { QueuePositions, QueuePublisher } from './queue-positions.ts';

const waiting = 100_000;

/** The state of a package whose queue has the numbers from 3 on. */
function longQueue(): PackageState {
  const { id: packageId } = makePackage();
  const unfinished = Array.from({ length: waiting }, (_, index) =>
    fakeOrder({ id: `order-${index + 3}`, packageId, number: index + 3, status: 'queued' }),
  );
  const inventory = { remaining: 0, held: 2, confirmed: 0, cancelling: 0, waiting, nextNumber: waiting + 3 };
  return new PackageState(
    { package: makePackage(), inventory, fence: { epoch: 1, seq: 1 }, unfinished },
    true,
  );
}

test('a queue of 100,000 orders is told in a message of less than 1 kB, and everybody knows the positions', () => {
  const [owner, other] = [localLiveBus(), localLiveBus()];
  const messages: string[] = [];
  owner.subscribe({
    queue: (queue) => {
      messages.push(encodeChanges('owner', [{ queue }]));
      for (const change of decodeChanges(messages.at(-1) as string))
        if ('queue' in change) other.publishQueue(change.queue);
    },
  });
  const positions = new QueuePositions(other, new ManualClock());
  const state = longQueue();
  const { id } = state.package;
  const publisher = new QueuePublisher(owner, new ManualClock());
  publisher.publish(state, new AbortController().signal);
  expect(positions.position(id, 3)).toBe(1);
  expect(positions.position(id, 70_002)).toBe(70_000);
  expect(positions.position(id, waiting + 2)).toBe(waiting);
  expect(positions.position(id, waiting + 3)).toBeUndefined();
  expect(Math.max(...messages.map(({ length }) => length))).toBeLessThan(1_000);
});

test('the whole queue of an older release, which tells each number, is understood', () => {
  const line = { packageId: 7, first: [3, 4], all: [3, 4, 9] };
  const [change] = decodeChanges(`older\n${JSON.stringify({ v: 1, items: [{ line }] })}`);
  expect(change).toEqual({ queue: { packageId: 7, first: [3, 4], all: [3, 4, 9, 9] } });
});

test('the wait is estimated from the snapshots that are heard, and forgotten when the queue has emptied', async () => {
  const [bus, clock] = [localLiveBus(), new ManualClock()];
  const positions = new QueuePositions(bus, clock);
  const packageId = 7;
  for (let head = 1; head <= 60; head++) {
    const first = Array.from({ length: 20 }, (_, index) => head + index);
    bus.publishQueue({ packageId, first, ...(head % 10 === 1 && { all: [head, head + 99] }) });
    await clock.advance(1_000);
  }
  const wait = positions.estimatedWait(packageId, 30);
  expect(wait?.minSeconds).toBeLessThanOrEqual(30);
  expect(wait?.maxSeconds).toBeGreaterThanOrEqual(30);
  expect(wait?.maxSeconds).toBeLessThanOrEqual(120);
  expect(positions.estimatedWait(8, 30)).toBeUndefined();
  bus.publishQueue({ packageId, first: [], all: [] });
  bus.publishQueue({ packageId, first: [62], all: [62, 62] });
  await clock.advance(20_000);
  expect(positions.estimatedWait(packageId, 1)).toBeUndefined();
  positions.close();
});
