import { afterEach, expect, it } from 'vitest';
import { fakeEngine, fakeOrder, fakeSnapshot } from '../../test/support/fake-engine.ts';
import { ManualClock, runUntilIdle } from '../../test/support/manual-clock.ts';
import type { Order } from '../domain/order.ts';
import type { Inventory, PackageSnapshot } from '../domain/travel-package.ts';
import { silentLog } from '../observability/log.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import { localLiveBus } from './bus/local.ts';
import type { Subscription } from './channel.ts';
import { Hub, type HubOptions, type LiveRender } from './hub.ts';
import type { Viewer } from './viewer.ts';

/** Keeps what it is told, and is as slow as a test wants it. */
class TestViewer implements Viewer {
  readonly received: string[] = [];
  buffered = 0;
  closed: number | undefined;
  isCut = false;
  onEnd: () => void = () => {};

  send(frame: Buffer): void {
    const headerBytes = (frame[1] ?? 0) < 126 ? 2 : 4;
    this.received.push(frame.toString('utf8', headerBytes));
  }
  bufferedBytes(): number {
    return this.buffered;
  }
  close(code: number): void {
    this.closed = code;
    this.onEnd();
  }
  terminate(): void {
    this.isCut = true;
    this.onEnd();
  }

  /** What was drawn for it, without the wrappers and the time. */
  get shown(): string[] {
    return this.received
      .filter((text) => text.startsWith('<hx-partial'))
      .map((text) => text.replace(/<hx-partial[^>]*>/g, '').replaceAll('</hx-partial>', ';'));
  }
  get times(): string[] {
    return this.received.filter((text) => text.startsWith('{"now":'));
  }
}

const clock = new ManualClock();

/** A hub over an engine whose packages and orders a test may change behind the bus's back. */
class Stage {
  readonly bus = localLiveBus();
  readonly packages = new Map<number, PackageSnapshot>();
  readonly orders = new Map<string, Order>();
  readonly places = new Map<string, number>();
  readonly reads: string[] = [];
  drawn = 0;
  isStoreDown = false;
  readonly hub: Hub;

  constructor(options: Partial<HubOptions> = {}) {
    this.set(1, { remaining: 1 });
    this.set(2, { remaining: 2 });
    const engine = fakeEngine({
      packages: async () => {
        this.#read('packages');
        return [...this.packages.values()];
      },
      order: async (id) => {
        this.#read(id);
        return this.orders.get(id);
      },
      queuePosition: ({ id }) => this.places.get(id),
    });
    const render: LiveRender = {
      package: ({ package: { id, archived }, inventory: { remaining, held } }) => {
        this.drawn++;
        if (archived === true) return { rootId: `stay-${id}`, html: `${id}: archived` };
        return { rootId: `stay-${id}`, html: `${id}: ${remaining} free, ${held} held` };
      },
      order: ({ order: { id, status }, queuePosition, inProgress, offer = 'open' }) => {
        this.drawn++;
        return {
          rootId: 'order-live',
          html: `${id} ${status} ${queuePosition ?? '-'} ${inProgress}${offer === 'open' ? '' : ` ${offer}`}`,
        };
      },
    };
    this.hub = new Hub({ engine, liveBus: this.bus, clock, log: silentLog }, render, options);
    stages.push(this);
  }

  #read(what: string): void {
    this.reads.push(what);
    if (this.isStoreDown) throw new StoreUnavailableError('down');
  }

  /** Changes a package in the store. */
  set(
    id: number,
    inventory: Partial<Inventory>,
    sale: Partial<PackageSnapshot['package']> = {},
  ): PackageSnapshot {
    const before = this.packages.get(id) ?? fakeSnapshot({ id });
    const snapshot = {
      package: { ...before.package, ...sale },
      inventory: { ...before.inventory, ...inventory },
    };
    this.packages.set(id, snapshot);
    return snapshot;
  }

  /** Changes a package and tells of it. */
  publish(id: number, inventory: Partial<Inventory>): void {
    this.bus.publishPackage(this.set(id, inventory));
  }

  /** Changes an order in the store. */
  setOrder(overrides: Partial<Order>): Order {
    const order = fakeOrder(overrides);
    this.orders.set(order.id, order);
    return order;
  }

  join(viewer = new TestViewer()): TestViewer & { seat: Subscription } {
    return this.#seat(viewer, this.hub.subscribe({ kind: 'packages' }, viewer));
  }

  joinOrder(orderId: string, viewer = new TestViewer()): TestViewer & { seat: Subscription } {
    return this.#seat(viewer, this.hub.subscribe({ kind: 'order', orderId }, viewer));
  }

  #seat(viewer: TestViewer, seat: Subscription): TestViewer & { seat: Subscription } {
    viewer.onEnd = () => this.hub.unsubscribe(seat);
    return Object.assign(viewer, { seat });
  }
}

const stages: Stage[] = [];

afterEach(async () => {
  const stopped = Promise.all(stages.splice(0).map(({ hub }) => hub.stop()));
  await clock.advance(5000);
  await stopped;
});

/** One tick, and its work. */
const tick = () => clock.advance(50);

it('opens with the time and the present state', async () => {
  const stage = new Stage();
  const viewer = stage.join();
  expect(viewer.received).toEqual([`{"now":${clock.now()}}`]);
  await tick();
  expect(viewer.shown).toEqual(['1: 1 free, 0 held;2: 2 free, 0 held;']);
});

it('makes one message, with the newest state, of a hundred changes within a tick', async () => {
  const stage = new Stage();
  const viewer = stage.join();
  await tick();
  for (let held = 1; held <= 100; held++) stage.publish(1, { held });
  await tick();
  expect(viewer.shown.slice(1)).toEqual(['1: 1 free, 100 held;']);
  await clock.advance(1000);
  expect(viewer.shown).toHaveLength(2);
});

it('sends at most one message per tick', async () => {
  const stage = new Stage();
  const viewer = stage.join();
  await tick();
  for (let held = 1; held <= 100; held++) {
    stage.publish(1, { held });
    await clock.advance(10);
  }
  await tick();
  expect(viewer.shown.length).toBeGreaterThan(15);
  expect(viewer.shown.length).toBeLessThanOrEqual(22);
  expect(viewer.shown.at(-1)).toBe('1: 1 free, 100 held;');
});

it('tells a crowd once of a unit that is held and booked soon after, and a single viewer at once', async () => {
  for (const [viewersPerMs, expected] of [
    [0.1, ['1: 0 free, 0 held;']],
    [1000, ['1: 0 free, 1 held;', '1: 0 free, 0 held;']],
  ] as const) {
    const stage = new Stage({ gatherViewersPerMs: viewersPerMs });
    const viewers = [stage.join(), stage.join()];
    await clock.advance(100);
    stage.publish(1, { remaining: 0, held: 1 });
    await clock.advance(10);
    stage.publish(1, { held: 0 });
    await clock.advance(100);
    for (const viewer of viewers) expect(viewer.shown.slice(1)).toEqual(expected);
  }
});

it('draws a change once for any number of viewers, and sends them the same bytes', async () => {
  const stage = new Stage({ sliceMsMin: 0, sliceMsMax: 0, yieldToEventLoop: async () => {} });
  const viewers = Array.from({ length: 100 }, () => stage.join());
  await tick();
  expect(stage.drawn).toBe(2);
  expect(stage.reads).toEqual(['packages']);
  stage.publish(2, { remaining: 0 });
  await tick();
  expect(stage.drawn).toBe(3);
  for (const viewer of viewers) expect(viewer.shown.at(-1)).toBe('2: 0 free, 0 held;');
});

it('draws nothing and keeps no timer while nobody watches', async () => {
  const stage = new Stage();
  for (let held = 1; held <= 10; held++) stage.publish(1, { held });
  await tick();
  expect([stage.drawn, stage.reads.length, clock.sleepers]).toEqual([0, 0, 0]);
  const viewer = stage.join();
  await tick();
  expect(viewer.shown).toEqual(['1: 1 free, 10 held;', '2: 2 free, 0 held;']);
  stage.hub.unsubscribe(viewer.seat);
  await clock.advance(1000);
  expect(clock.sleepers).toBe(0);
});

it('shows a newcomer the present state at once, and never how it was when somebody last watched', async () => {
  const stage = new Stage();
  const first = stage.join();
  await tick();
  const second = stage.join();
  expect(second.shown).toEqual(['1: 1 free, 0 held;2: 2 free, 0 held;']);
  stage.hub.unsubscribe(first.seat);
  stage.hub.unsubscribe(second.seat);
  stage.publish(1, { remaining: 0 });
  expect(stage.join().shown).toEqual(['1: 0 free, 0 held;2: 2 free, 0 held;']);
});

it('shows a sale that opened while nobody watched', async () => {
  const stage = new Stage();
  const opensAt = clock.now() + 60_000;
  stage.set(1, {}, { opensAt });
  const first = stage.join();
  await tick();
  stage.hub.unsubscribe(first.seat);
  await clock.advance(60_000);
  const { drawn } = stage;
  expect(stage.join().shown).toHaveLength(1);
  expect(stage.drawn).toBe(drawn + 2);
});

it('lets a slow reader skip ahead to the newest state, and keeps nothing for it', async () => {
  const stage = new Stage();
  const slow = stage.join();
  const quick = stage.join();
  await tick();
  slow.buffered = 1024 * 1024;
  for (let held = 1; held <= 20; held++) {
    stage.publish(1, { held });
    stage.publish(2, { held });
    await tick();
  }
  expect(quick.shown).toHaveLength(21);
  expect(slow.shown).toHaveLength(1);
  slow.buffered = 0;
  await clock.advance(1000);
  expect(slow.shown.slice(1)).toEqual(['1: 1 free, 20 held;2: 2 free, 20 held;']);
});

it('cuts a reader that is stuck, and no other', async () => {
  const stage = new Stage();
  const stuck = stage.join();
  const slow = stage.join();
  await tick();
  stuck.buffered = slow.buffered = 1024 * 1024;
  stage.publish(1, { held: 1 });
  await clock.advance(15_000);
  slow.buffered = 0;
  await clock.advance(10_000);
  expect([stuck.isCut, slow.isCut, stage.hub.viewers]).toEqual([true, false, 1]);
});

it('breaks a silence with the time', async () => {
  const stage = new Stage();
  const viewer = stage.join();
  await tick();
  await clock.advance(12_000);
  expect(viewer.times.length).toBeGreaterThanOrEqual(3);
  expect(viewer.shown).toHaveLength(1);
});

it('makes up for a lost message by reading again', async () => {
  const stage = new Stage();
  const viewer = stage.join();
  await tick();
  stage.set(1, { remaining: 0 });
  await clock.advance(5000);
  expect(viewer.shown.slice(1)).toEqual(['1: 0 free, 0 held;']);
});

it('does not let an older read undo what the bus told', async () => {
  const stage = new Stage();
  const viewer = stage.join();
  stage.bus.publishPackage({ ...fakeSnapshot(), inventory: { ...fakeSnapshot().inventory, held: 9 } });
  await tick();
  expect(viewer.shown.join()).toContain('1: 1 free, 9 held;');
  expect(viewer.shown.join()).not.toContain('1: 1 free, 0 held;');
});

it('goes on when the store is down, and shows the state once it is back', async () => {
  const stage = new Stage();
  stage.isStoreDown = true;
  const viewer = stage.join();
  await clock.advance(5000);
  expect(viewer.shown).toEqual([]);
  stage.isStoreDown = false;
  await clock.advance(5000);
  expect(viewer.shown).toEqual(['1: 1 free, 0 held;2: 2 free, 0 held;']);
});

it('shows one package alone to who watches that one, and closes on one that does not exist', async () => {
  const stage = new Stage();
  const viewer = new TestViewer();
  const stranger = new TestViewer();
  stage.hub.subscribe({ kind: 'package', packageId: 2 }, viewer);
  stage.hub.subscribe({ kind: 'package', packageId: 77 }, stranger);
  await tick();
  stage.publish(1, { remaining: 0 });
  stage.publish(2, { remaining: 1 });
  await tick();
  expect(viewer.shown).toEqual(['2: 2 free, 0 held;', '2: 1 free, 0 held;']);
  expect([viewer.closed, stranger.closed, stranger.shown.length]).toEqual([undefined, 1008, 0]);
});

it('shows packages that are not listed to who watches them alone, and closes those that go', async () => {
  const stage = new Stage();
  stage.set(3, {}, { listed: false });
  const viewer = stage.join();
  const single = new TestViewer();
  stage.hub.subscribe({ kind: 'package', packageId: 3 }, single);
  await tick();
  stage.publish(3, { held: 1 });
  await tick();
  expect(single.shown).toEqual(['3: 1 free, 0 held;', '3: 1 free, 1 held;']);
  expect(viewer.shown).toEqual(['1: 1 free, 0 held;2: 2 free, 0 held;']);
  stage.bus.publishPackage(stage.set(1, {}, { archived: true }));
  stage.packages.delete(2);
  stage.bus.publishRemoved(2);
  await tick();
  expect(viewer.shown.slice(1)).toEqual(['1: archived;2: archived;']);
  stage.publish(1, { held: 1 });
  await clock.advance(5000);
  expect(viewer.shown).toHaveLength(2);
});

it('draws a package anew in the moment its sale opens', async () => {
  const stage = new Stage();
  stage.set(1, {}, { opensAt: clock.now() + 2500 });
  const viewer = stage.join();
  await tick();
  expect(viewer.shown).toHaveLength(1);
  await clock.advance(2440);
  expect(viewer.shown).toHaveLength(1);
  await clock.advance(60);
  expect(viewer.shown.slice(1)).toEqual(['1: 1 free, 0 held;']);
});

it('shows an order as it stands, then its place, then its outcome', async () => {
  const stage = new Stage();
  stage.publish(1, { held: 1, remaining: 0 });
  const order = stage.setOrder({ number: 7 });
  stage.places.set(order.id, 3);
  const viewer = stage.joinOrder(order.id);
  await tick();
  stage.bus.publishQueue({ packageId: 1, first: [5, 7], all: [5, 7] });
  await tick();
  stage.bus.publishOrder({
    ...order,
    status: 'held',
    timeline: [...order.timeline, { at: 1, event: 'claimed' }],
  });
  stage.bus.publishOrder({
    ...order,
    status: 'confirmed',
    timeline: [...order.timeline, { at: 1, event: 'claimed' }, { at: 2, event: 'confirmed' }],
  });
  await tick();
  expect(viewer.shown).toEqual([
    `${order.id} queued 3 1;`,
    `${order.id} queued 2 1;`,
    `${order.id} confirmed - 0;`,
  ]);
});

it('does not let late news of an order undo what is known of it', async () => {
  const stage = new Stage();
  const order = stage.setOrder({ status: 'held' });
  const viewer = stage.joinOrder(order.id);
  await tick();
  const timeline = [...order.timeline, { at: 2, event: 'confirmed' } as const];
  stage.bus.publishOrder({ ...order, status: 'confirmed', timeline });
  await tick();
  stage.bus.publishOrder({ ...order, status: 'queued' });
  await tick();
  expect(viewer.shown).toEqual([`${order.id} held - 0;`, `${order.id} confirmed - 0;`]);
});

it('sends one message per tick for an order that changes while others are served', async () => {
  const steps: (() => void)[] = [];
  const stage = new Stage({ sliceMsMin: 0, sliceMsMax: 0, yieldToEventLoop: async () => steps.shift()?.() });
  const order = stage.setOrder({ number: 7 });
  const viewer = stage.joinOrder(order.id);
  await tick();
  const timeline = [...order.timeline];
  const change = () => {
    timeline.push({ at: 1, event: 'flight unknown' });
    stage.bus.publishOrder({ ...order, status: 'held', timeline: [...timeline] });
  };
  steps.push(...Array(10).fill(change));
  change();
  await clock.advance(1);
  expect(viewer.shown).toHaveLength(2);
  await clock.advance(1000);
  expect(viewer.shown).toHaveLength(12);
});

it('tells who waits how many units are being booked', async () => {
  const stage = new Stage();
  const order = stage.setOrder({ number: 7 });
  const viewer = stage.joinOrder(order.id);
  await tick();
  stage.bus.publishQueue({ packageId: 1, first: [7], all: [7] });
  stage.publish(1, { held: 1, remaining: 0 });
  await tick();
  expect(viewer.shown.at(-1)).toBe(`${order.id} queued 1 1;`);
});

it('tells the first twenty their place with every tick, the rest once a second', async () => {
  const stage = new Stage();
  const line = Array.from({ length: 60 }, (_, index) => index + 1);
  const viewers = line.map((number) => {
    const { id } = stage.setOrder({ id: `order-${number}`, number });
    stage.places.set(id, number);
    return stage.joinOrder(id);
  });
  await clock.advance(1000);
  const counts = () => viewers.map(({ shown }) => shown.length);
  const before = counts();
  for (let gone = 1; gone <= 10; gone++) {
    const left = line.slice(gone);
    stage.bus.publishQueue({ packageId: 1, first: left.slice(0, 20), all: left });
    await tick();
  }
  const after = counts().map((count, index) => count - (before[index] ?? 0));
  expect(viewers[10]?.shown.at(-1)).toBe('order-11 queued 1 0;');
  expect(after.slice(10, 21)).toEqual(Array(11).fill(10));
  expect(Math.max(...after.slice(30))).toBeLessThanOrEqual(1);
  await clock.advance(1050);
  const late = counts().map((count, index) => count - (before[index] ?? 0));
  expect(Math.max(...late.slice(30))).toBeLessThanOrEqual(2);
  for (const [index, { shown }] of viewers.entries()) {
    if (index >= 10) expect(shown.at(-1)).toBe(`order-${index + 1} queued ${index - 9} 0;`);
  }
});

it('Q6 finds an outcome that the bus did not tell of', async () => {
  const stage = new Stage();
  const order = stage.setOrder({ number: 7 });
  const viewer = stage.joinOrder(order.id);
  await tick();
  stage.setOrder({
    ...order,
    status: 'rejected',
    timeline: [...order.timeline, { at: 1, event: 'sold out' }],
  });
  await clock.advance(5000);
  expect(viewer.shown.at(-1)).toBe(`${order.id} rejected - 0;`);
  const { length } = stage.reads.filter((read) => read === order.id);
  await clock.advance(10_000);
  expect(stage.reads.filter((read) => read === order.id)).toHaveLength(length);
});

it('reads an order again for who comes back to it', async () => {
  const stage = new Stage();
  const order = stage.setOrder({ number: 7 });
  const first = stage.joinOrder(order.id);
  await tick();
  stage.hub.unsubscribe(first.seat);
  stage.setOrder({
    ...order,
    status: 'withdrawn',
    timeline: [...order.timeline, { at: 1, event: 'withdrawn' }],
  });
  const again = stage.joinOrder(order.id);
  await tick();
  expect(again.shown).toEqual([`${order.id} withdrawn - 0;`]);
});

it('closes on an order that does not exist', async () => {
  const stage = new Stage();
  const viewer = stage.joinOrder('no such order');
  await tick();
  expect([viewer.closed, stage.hub.viewers]).toEqual([1008, 0]);
});

it('shows everything else when one fragment cannot be drawn', async () => {
  const stage = new Stage();
  const viewer = stage.join();
  await tick();
  stage.bus.publishPackage({ package: { ...fakeSnapshot().package, id: 3 }, inventory: null as never });
  stage.publish(1, { held: 1 });
  await tick();
  expect(viewer.shown.at(-1)).toBe('1: 1 free, 1 held;');
});

it('says goodbye with 1012, a few at a time, and cuts who does not answer', async () => {
  const stage = new Stage();
  const viewers = Array.from({ length: 100 }, () => stage.join());
  const deaf = viewers[99] as TestViewer;
  deaf.close = (code) => {
    deaf.closed = code;
  };
  await tick();
  const stopped = stage.hub.stop();
  await runUntilIdle();
  expect(viewers.filter(({ closed }) => closed === 1012)).toHaveLength(5);
  await clock.advance(1000);
  expect(viewers.filter(({ closed }) => closed === 1012)).toHaveLength(100);
  expect(deaf.isCut).toBe(false);
  await clock.advance(1000);
  await stopped;
  expect([deaf.isCut, stage.hub.viewers]).toEqual([true, 0]);
  stage.publish(1, { held: 1 });
  expect(clock.sleepers).toBe(0);
});

it('draws an order that may be ordered again anew when its trip sells out, and only then', async () => {
  const stage = new Stage();
  stage.publish(1, { remaining: 1 });
  const order = stage.setOrder({ status: 'failed', reason: 'flight_unavailable' });
  const viewer = stage.joinOrder(order.id);
  await tick();
  expect(viewer.shown).toEqual([`${order.id} failed - 0;`]);
  stage.publish(1, { remaining: 0, held: 1 });
  await tick();
  expect(viewer.shown).toHaveLength(1);
  stage.publish(1, { remaining: 0, held: 0, confirmed: 1 });
  await tick();
  expect(viewer.shown).toEqual([`${order.id} failed - 0;`, `${order.id} failed - 0 sold_out;`]);
});
