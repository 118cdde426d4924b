import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runsOf } from '../../src/domain/number-runs.ts';
import type { LiveBus, LiveListener } from '../../src/realtime/live-bus.ts';
import { fakeOrder, fakeSnapshot } from '../support/fake-engine.ts';

/** Two ends of one bus. They are the same object if the bus works in one process only. */
export interface LiveBusEnds {
  readonly publisher: LiveBus;
  readonly subscriber: LiveBus;
}

/** The contract of `LiveBus`, run on each implementation. Delivery may be delayed. */
export function liveBusContract(name: string, open: () => Promise<LiveBusEnds>): void {
  describe(`live bus contract: ${name}`, () => {
    let ends: LiveBusEnds;

    beforeEach(async () => {
      ends = await open();
    });
    afterEach(async () => {
      await ends.publisher.close();
      await ends.subscriber.close();
    });

    function listen(): { heard: unknown[]; leave: () => void } {
      const heard: unknown[] = [];
      const listener: LiveListener = {
        package: (snapshot) => heard.push(snapshot),
        order: (order) => heard.push(order),
        queue: (line) => heard.push(line),
        removed: (packageId) => heard.push({ removed: packageId }),
      };
      return { heard, leave: ends.subscriber.subscribe(listener) };
    }

    it('delivers every message to every listener in order', async () => {
      const [one, other] = [listen(), listen()];
      const line = { packageId: 1, first: [4, 7], all: runsOf([4, 7]) };
      ends.publisher.publishPackage(fakeSnapshot());
      ends.publisher.publishOrder(fakeOrder());
      ends.publisher.publishQueue(line);
      const numbered = Array.from({ length: 100 }, (_, index) =>
        fakeOrder({ id: `${index}`, number: index }),
      );
      for (const order of numbered) ends.publisher.publishOrder(order);
      const expected = [fakeSnapshot(), fakeOrder(), line, ...numbered];
      await vi.waitFor(() => expect(one.heard).toEqual(expected));
      await vi.waitFor(() => expect(other.heard).toEqual(expected));
    });

    it('delivers the removal of a package after its earlier updates', async () => {
      const { heard } = listen();
      ends.publisher.publishPackage(fakeSnapshot());
      ends.publisher.publishRemoved(1);
      ends.publisher.publishPackage(fakeSnapshot({ id: 2 }));
      await vi.waitFor(() => expect(heard.slice(-2)).toEqual([{ removed: 1 }, fakeSnapshot({ id: 2 })]));
    });

    it('a listener that throws affects neither the publisher nor other listeners', async () => {
      const fails = () => {
        throw new Error('a bug of this listener');
      };
      ends.subscriber.subscribe({ package: fails, order: fails, queue: fails });
      const { heard } = listen();
      ends.publisher.publishPackage(fakeSnapshot());
      ends.publisher.publishOrder(fakeOrder());
      await vi.waitFor(() => expect(heard).toHaveLength(2));
    });

    it('an ended subscription gets nothing, while a second subscription of the same listener goes on', async () => {
      const heard: string[] = [];
      const listener: LiveListener = { order: (order) => heard.push(order.id) };
      const leave = ends.subscriber.subscribe(listener);
      ends.subscriber.subscribe(listener);
      leave();
      leave();
      const { heard: after } = listen();
      ends.publisher.publishOrder(fakeOrder());
      await vi.waitFor(() => expect(after).toHaveLength(1));
      expect(heard).toEqual([fakeOrder().id]);
    });

    it('ignores messages that are published after close', async () => {
      const { heard } = listen();
      await ends.subscriber.close();
      await ends.publisher.close();
      ends.publisher.publishOrder(fakeOrder());
      expect(heard).toEqual([]);
    });
  });
}
