import { afterEach, expect, it } from 'vitest';
import { packagesOf } from '../../test/support/all-packages.ts';
import { fakeSnapshot } from '../../test/support/fake-engine.ts';
import { clock, HubScene, stopScenes, TestViewer, tick } from '../../test/support/hub-scene.ts';
import { runUntilIdle } from '../../test/support/manual-clock.ts';
import { runsOf } from '../domain/number-runs.ts';

afterEach(stopScenes);

it('sends a new viewer the time first, and then the current state', async () => {
  const scene = new HubScene();
  const viewer = scene.watchPackages();
  expect(viewer.received).toEqual([`{"now":${clock.now()}}`]);
  await tick();
  expect(viewer.shown).toEqual(['1: 1 free, 0 held;2: 2 free, 0 held;']);
});

it('sends one message with the newest state for a hundred changes in a tick', async () => {
  const scene = new HubScene();
  const viewer = scene.watchPackages();
  await tick();
  for (let held = 1; held <= 100; held++) scene.publish(1, { held });
  await tick();
  expect(viewer.shown.slice(1)).toEqual(['1: 1 free, 100 held;']);
  await clock.advance(1000);
  expect(viewer.shown).toHaveLength(2);
});

it('sends at most one message per tick', async () => {
  const scene = new HubScene();
  const viewer = scene.watchPackages();
  await tick();
  for (let held = 1; held <= 100; held++) {
    scene.publish(1, { held });
    await clock.advance(10);
  }
  await tick();
  expect(viewer.shown.length).toBeGreaterThan(15);
  expect(viewer.shown.length).toBeLessThanOrEqual(22);
  expect(viewer.shown.at(-1)).toBe('1: 1 free, 100 held;');
});

it('merges the changes of a unit that is held and soon confirmed into one message, if there are many viewers', async () => {
  for (const [viewersPerMs, expected] of [
    [0.1, ['1: 0 free, 0 held;']],
    [1000, ['1: 0 free, 1 held;', '1: 0 free, 0 held;']],
  ] as const) {
    const scene = new HubScene({ gatherViewersPerMs: viewersPerMs });
    const viewers = [scene.watchPackages(), scene.watchPackages()];
    await clock.advance(100);
    scene.publish(1, { remaining: 0, held: 1 });
    await clock.advance(10);
    scene.publish(1, { held: 0 });
    await clock.advance(100);
    for (const viewer of viewers) expect(viewer.shown.slice(1)).toEqual(expected);
  }
});

it('renders a change once for any number of viewers', async () => {
  const scene = new HubScene({ sliceMsMin: 0, sliceMsMax: 0, yieldToEventLoop: async () => {} });
  const viewers = Array.from({ length: 100 }, () => scene.watchPackages());
  await tick();
  expect(scene.rendered).toBe(2);
  expect(scene.reads).toEqual(['packages']);
  scene.publish(2, { remaining: 0 });
  await tick();
  expect(scene.rendered).toBe(3);
  for (const viewer of viewers) expect(viewer.shown.at(-1)).toBe('2: 0 free, 0 held;');
});

it('renders nothing and sets no timer while there are no viewers', async () => {
  const scene = new HubScene();
  for (let held = 1; held <= 10; held++) scene.publish(1, { held });
  await tick();
  expect([scene.rendered, scene.reads.length, clock.sleepers]).toEqual([0, 0, 0]);
  const viewer = scene.watchPackages();
  await tick();
  expect(viewer.shown).toEqual(['1: 1 free, 10 held;', '2: 2 free, 0 held;']);
  viewer.onEnd();
  await clock.advance(1000);
  expect(clock.sleepers).toBe(0);
});

it('sends a new viewer the current state at once, even after a time without viewers', async () => {
  const scene = new HubScene();
  const first = scene.watchPackages();
  await tick();
  const second = scene.watchPackages();
  expect(second.shown).toEqual(['1: 1 free, 0 held;2: 2 free, 0 held;']);
  first.onEnd();
  second.onEnd();
  scene.publish(1, { remaining: 0 });
  expect(scene.watchPackages().shown).toEqual(['1: 0 free, 0 held;2: 2 free, 0 held;']);
});

it('shows a sale that opened while there were no viewers', async () => {
  const scene = new HubScene();
  const opensAt = clock.now() + 60_000;
  scene.set(1, {}, { opensAt });
  const first = scene.watchPackages();
  await tick();
  first.onEnd();
  await clock.advance(60_000);
  const { rendered } = scene;
  expect(scene.watchPackages().shown).toHaveLength(1);
  expect(scene.rendered).toBe(rendered + 2);
});

it('skips versions for a slow viewer and sends it the newest state in the end', async () => {
  const scene = new HubScene();
  const slow = scene.watchPackages();
  const quick = scene.watchPackages();
  await tick();
  slow.buffered = 1024 * 1024;
  for (let held = 1; held <= 20; held++) {
    scene.publish(1, { held });
    scene.publish(2, { held });
    await tick();
  }
  expect(quick.shown).toHaveLength(21);
  expect(slow.shown).toHaveLength(1);
  slow.buffered = 0;
  await clock.advance(1000);
  expect(slow.shown.slice(1)).toEqual(['1: 1 free, 20 held;2: 2 free, 20 held;']);
});

it('terminates a viewer that is stuck, but not one that was slow for a while', async () => {
  const scene = new HubScene();
  const stuck = scene.watchPackages();
  const slow = scene.watchPackages();
  await tick();
  stuck.buffered = slow.buffered = 1024 * 1024;
  scene.publish(1, { held: 1 });
  await clock.advance(15_000);
  slow.buffered = 0;
  await clock.advance(10_000);
  expect([stuck.isTerminated, slow.isTerminated, scene.hub.viewers]).toEqual([true, false, 1]);
});

it('sends the time when nothing else was sent for a while', async () => {
  const scene = new HubScene();
  const viewer = scene.watchPackages();
  await tick();
  await clock.advance(12_000);
  expect(viewer.times.length).toBeGreaterThanOrEqual(3);
  expect(viewer.shown).toHaveLength(1);
});

it('shows a change that the bus has lost after the next read of the store', async () => {
  const scene = new HubScene();
  const viewer = scene.watchPackages();
  await tick();
  scene.set(1, { remaining: 0 });
  await clock.advance(5000);
  expect(viewer.shown.slice(1)).toEqual(['1: 0 free, 0 held;']);
});

it('does not replace an update from the bus with an older read', async () => {
  const scene = new HubScene();
  const viewer = scene.watchPackages();
  scene.bus.publishPackage({ ...fakeSnapshot(), inventory: { ...fakeSnapshot().inventory, held: 9 } });
  await tick();
  expect(viewer.shown.join()).toContain('1: 1 free, 9 held;');
  expect(viewer.shown.join()).not.toContain('1: 1 free, 0 held;');
});

it('shows a package that was removed and added again, also after a time without viewers', async () => {
  const scene = new HubScene();
  const viewer = scene.watchPackages();
  await tick();
  scene.packages.delete(2);
  scene.bus.publishRemoved(2);
  viewer.onEnd();
  const second = scene.watchPackages();
  expect(second.shown).toEqual(['1: 1 free, 0 held;']);
  scene.publish(2, { held: 1 });
  await tick();
  expect(second.shown.slice(1)).toEqual(['2: 1 free, 1 held;']);
  scene.packages.delete(2);
  await clock.advance(5000);
  expect(second.shown.slice(2)).toEqual(['2: archived;']);
  scene.publish(2, { held: 3 });
  await tick();
  expect(second.shown.slice(3)).toEqual(['2: 1 free, 3 held;']);
});

it('shows the first viewer at once what was read before the hub was made', async () => {
  const scene = new HubScene();
  const viewer = new TestViewer();
  await packagesOf(scene.engine);
  viewer.onEnd = scene.makeHub().subscribe({ kind: 'packages' }, viewer);
  expect(viewer.shown).toEqual(['1: 1 free, 0 held;2: 2 free, 0 held;']);
  viewer.onEnd();
});

it('keeps running while the store is down, and shows the state when it is back', async () => {
  const scene = new HubScene();
  scene.isStoreDown = true;
  const viewer = scene.watchPackages();
  await clock.advance(5000);
  expect(viewer.shown).toEqual([]);
  scene.isStoreDown = false;
  await clock.advance(5000);
  expect(viewer.shown).toEqual(['1: 1 free, 0 held;2: 2 free, 0 held;']);
});

it('sends a viewer only the watched package, and closes a viewer of a package that does not exist', async () => {
  const scene = new HubScene();
  const viewer = new TestViewer();
  const stranger = new TestViewer();
  scene.hub.subscribe({ kind: 'package', packageId: 2 }, viewer);
  scene.hub.subscribe({ kind: 'package', packageId: 77 }, stranger);
  await tick();
  scene.publish(1, { remaining: 0 });
  scene.publish(2, { remaining: 1 });
  await tick();
  expect(viewer.shown).toEqual(['2: 2 free, 0 held;', '2: 1 free, 0 held;']);
  expect([viewer.closed, stranger.closed, stranger.shown.length]).toEqual([undefined, 1008, 0]);
});

it('sends an unlisted package only to viewers of this package, and shows viewers that an archived or removed package is closed', async () => {
  const scene = new HubScene();
  scene.set(3, {}, { listed: false });
  const viewer = scene.watchPackages();
  const single = new TestViewer();
  scene.hub.subscribe({ kind: 'package', packageId: 3 }, single);
  await tick();
  scene.publish(3, { held: 1 });
  await tick();
  expect(single.shown).toEqual(['3: 1 free, 0 held;', '3: 1 free, 1 held;']);
  expect(viewer.shown).toEqual(['1: 1 free, 0 held;2: 2 free, 0 held;']);
  scene.bus.publishPackage(scene.set(1, {}, { archived: true }));
  scene.packages.delete(2);
  scene.bus.publishRemoved(2);
  await tick();
  expect(viewer.shown.slice(1)).toEqual(['1: archived;2: archived;']);
  scene.publish(1, { held: 1 });
  await clock.advance(5000);
  expect(viewer.shown).toHaveLength(2);
});

it('renders a package again at the moment when its sale opens', async () => {
  const scene = new HubScene();
  scene.set(1, {}, { opensAt: clock.now() + 2500 });
  const viewer = scene.watchPackages();
  await tick();
  expect(viewer.shown).toHaveLength(1);
  await clock.advance(2440);
  expect(viewer.shown).toHaveLength(1);
  await clock.advance(60);
  expect(viewer.shown.slice(1)).toEqual(['1: 1 free, 0 held;']);
});

it('shows the state of an order, then its queue position, then its outcome', async () => {
  const scene = new HubScene();
  scene.publish(1, { held: 1, remaining: 0 });
  const order = scene.setOrder({ number: 7 });
  scene.positions.set(order.id, 3);
  const viewer = scene.watchOrder(order.id);
  await tick();
  scene.bus.publishQueue({ packageId: 1, first: [5, 7], all: runsOf([5, 7]) });
  await tick();
  scene.bus.publishOrder({
    ...order,
    status: 'held',
    timeline: [...order.timeline, { at: 1, event: 'claimed' }],
  });
  scene.bus.publishOrder({
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

it('ignores order updates older than the known state', async () => {
  const scene = new HubScene();
  const order = scene.setOrder({ status: 'held' });
  const viewer = scene.watchOrder(order.id);
  await tick();
  const timeline = [...order.timeline, { at: 2, event: 'confirmed' } as const];
  scene.bus.publishOrder({ ...order, status: 'confirmed', timeline });
  await tick();
  scene.bus.publishOrder({ ...order, status: 'queued' });
  await tick();
  expect(viewer.shown).toEqual([`${order.id} held - 0;`, `${order.id} confirmed - 0;`]);
});

it('sends one message per tick for an order that changes while orders are rendered', async () => {
  const steps: (() => void)[] = [];
  const scene = new HubScene({
    sliceMsMin: 0,
    sliceMsMax: 0,
    yieldToEventLoop: async () => steps.shift()?.(),
  });
  const order = scene.setOrder({ number: 7 });
  const viewer = scene.watchOrder(order.id);
  await tick();
  const timeline = [...order.timeline];
  const change = () => {
    timeline.push({ at: 1, event: 'flight unknown' });
    scene.bus.publishOrder({ ...order, status: 'held', timeline: [...timeline] });
  };
  steps.push(...Array(10).fill(change));
  change();
  await clock.advance(1);
  expect(viewer.shown).toHaveLength(2);
  await clock.advance(1000);
  expect(viewer.shown).toHaveLength(12);
});

it('shows a queued order how many units are being booked', async () => {
  const scene = new HubScene();
  const order = scene.setOrder({ number: 7 });
  const viewer = scene.watchOrder(order.id);
  await tick();
  scene.bus.publishQueue({ packageId: 1, first: [7], all: runsOf([7]) });
  scene.publish(1, { held: 1, remaining: 0 });
  await tick();
  expect(viewer.shown.at(-1)).toBe(`${order.id} queued 1 1;`);
});

it('shows the estimated wait with the position, and within a second that it has changed or is not known any more', async () => {
  const scene = new HubScene();
  const order = scene.setOrder({ number: 7 });
  scene.waits.set(1, { minSeconds: 0, maxSeconds: 30 }).set(2, { minSeconds: 20, maxSeconds: 60 });
  const viewer = scene.watchOrder(order.id);
  await tick();
  scene.bus.publishQueue({ packageId: 1, first: [5, 7], all: runsOf([5, 7]) });
  await tick();
  expect(viewer.shown.at(-1)).toBe(`${order.id} queued 2 0 20-60 s;`);
  scene.bus.publishQueue({ packageId: 1, first: [7], all: runsOf([7]) });
  await tick();
  expect(viewer.shown.at(-1)).toBe(`${order.id} queued 1 0 0-30 s;`);
  const { length } = viewer.shown;
  scene.waits.set(1, { minSeconds: 0, maxSeconds: 60 });
  await clock.advance(1050);
  scene.waits.clear();
  await clock.advance(1050);
  await clock.advance(3000);
  expect(viewer.shown.slice(length)).toEqual([`${order.id} queued 1 0 0-60 s;`, `${order.id} queued 1 0;`]);
});

it('updates the first twenty queue positions with every tick, the others once a second', async () => {
  const scene = new HubScene();
  const queue = Array.from({ length: 60 }, (_, index) => index + 1);
  const viewers = queue.map((number) => {
    const { id } = scene.setOrder({ id: `order-${number}`, number });
    scene.positions.set(id, number);
    return scene.watchOrder(id);
  });
  await clock.advance(1000);
  const counts = () => viewers.map(({ shown }) => shown.length);
  const before = counts();
  for (let gone = 1; gone <= 10; gone++) {
    const left = queue.slice(gone);
    scene.bus.publishQueue({ packageId: 1, first: left.slice(0, 20), all: runsOf(left) });
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

it('Q6 shows an outcome whose update the bus has lost', async () => {
  const scene = new HubScene();
  const order = scene.setOrder({ number: 7 });
  const viewer = scene.watchOrder(order.id);
  await tick();
  scene.setOrder({
    ...order,
    status: 'rejected',
    timeline: [...order.timeline, { at: 1, event: 'sold out' }],
  });
  await clock.advance(5000);
  expect(viewer.shown.at(-1)).toBe(`${order.id} rejected - 0;`);
  const { length } = scene.reads.filter((read) => read === order.id);
  await clock.advance(10_000);
  expect(scene.reads.filter((read) => read === order.id)).toHaveLength(length);
});

it('Q6 shows the end of a cancellation whose last update the bus has lost', async () => {
  const scene = new HubScene();
  const order = scene.setOrder({ status: 'confirmed' });
  const viewer = scene.watchOrder(order.id);
  await tick();
  const timeline = [...order.timeline, { at: 1, event: 'cancel requested' } as const];
  scene.bus.publishOrder(scene.setOrder({ ...order, status: 'cancelling', timeline }));
  await tick();
  scene.setOrder({ ...order, status: 'cancelled', timeline: [...timeline, { at: 2, event: 'cancelled' }] });
  await clock.advance(5000);
  expect(viewer.shown.at(-1)).toBe(`${order.id} cancelled - 0;`);
});

it('reads an order again for a viewer that reconnects', async () => {
  const scene = new HubScene();
  const order = scene.setOrder({ number: 7 });
  const first = scene.watchOrder(order.id);
  await tick();
  first.onEnd();
  scene.setOrder({
    ...order,
    status: 'withdrawn',
    timeline: [...order.timeline, { at: 1, event: 'withdrawn' }],
  });
  const again = scene.watchOrder(order.id);
  await tick();
  expect(again.shown).toEqual([`${order.id} withdrawn - 0;`]);
});

it('closes a viewer of an order that does not exist', async () => {
  const scene = new HubScene();
  const viewer = scene.watchOrder('no such order');
  await tick();
  expect([viewer.closed, scene.hub.viewers]).toEqual([1008, 0]);
});

it('shows the other fragments when one cannot be rendered', async () => {
  const scene = new HubScene();
  const viewer = scene.watchPackages();
  await tick();
  scene.bus.publishPackage({ package: { ...fakeSnapshot().package, id: 3 }, inventory: null as never });
  scene.publish(1, { held: 1 });
  await tick();
  expect(viewer.shown.at(-1)).toBe('1: 1 free, 1 held;');
});

it('closes viewers with 1012 in small groups, and terminates viewers that do not answer', async () => {
  const scene = new HubScene();
  const viewers = Array.from({ length: 100 }, () => scene.watchPackages());
  const deaf = viewers[99] as TestViewer;
  deaf.close = (code) => {
    deaf.closed = code;
  };
  await tick();
  const stopped = scene.hub.stop();
  await runUntilIdle();
  expect(viewers.filter(({ closed }) => closed === 1012)).toHaveLength(5);
  await clock.advance(1000);
  expect(viewers.filter(({ closed }) => closed === 1012)).toHaveLength(100);
  expect(deaf.isTerminated).toBe(false);
  await clock.advance(1000);
  await stopped;
  expect([deaf.isTerminated, scene.hub.viewers]).toEqual([true, 0]);
  scene.publish(1, { held: 1 });
  expect(clock.sleepers).toBe(0);
});

it('renders a failed order again when its trip sells out, because the trip can no longer be ordered again', async () => {
  const scene = new HubScene();
  scene.publish(1, { remaining: 1 });
  const order = scene.setOrder({ status: 'failed', reason: 'flight_unavailable' });
  const viewer = scene.watchOrder(order.id);
  await tick();
  expect(viewer.shown).toEqual([`${order.id} failed - 0;`]);
  scene.publish(1, { remaining: 0, held: 1 });
  await tick();
  expect(viewer.shown).toHaveLength(1);
  scene.publish(1, { remaining: 0, held: 0, confirmed: 1 });
  await tick();
  expect(viewer.shown).toEqual([`${order.id} failed - 0;`, `${order.id} failed - 0 sold_out;`]);
});

it('renders a change once for each language, for any number of viewers', async () => {
  const scene = new HubScene();
  const order = scene.setOrder({ number: 7 });
  const viewers = Array.from({ length: 20 }, (_, index) => {
    const language = index % 2 === 0 ? 'en' : 'de';
    return {
      packages: scene.watchPackages(new TestViewer(), language),
      order: scene.watchOrder(order.id, new TestViewer(), language),
    };
  });
  await tick();
  expect(scene.rendered).toBe(2 * 3);
  scene.publish(1, { remaining: 0 });
  scene.bus.publishOrder({
    ...order,
    status: 'held',
    timeline: [...order.timeline, { at: 1, event: 'claimed' }],
  });
  await tick();
  expect(scene.rendered).toBe(2 * 5);
  for (const [index, { packages, order: watched }] of viewers.entries()) {
    const prefix = index % 2 === 0 ? '' : 'de ';
    expect(packages.shown.at(-1)).toBe(`${prefix}1: 0 free, 0 held;`);
    expect(watched.shown.at(-1)).toBe(`${prefix}${order.id} held - 0;`);
  }
});

it('shows the first viewer of another language the current state at once', async () => {
  const scene = new HubScene();
  const order = scene.setOrder({ status: 'held' });
  const [packages, watched] = [scene.watchPackages(), scene.watchOrder(order.id)];
  await tick();
  const german = scene.watchPackages(new TestViewer(), 'de');
  const germanOrder = scene.watchOrder(order.id, new TestViewer(), 'de');
  expect(german.shown).toEqual(['de 1: 1 free, 0 held;de 2: 2 free, 0 held;']);
  expect(germanOrder.shown).toEqual([`de ${order.id} held - 0;`]);
  await clock.advance(1000);
  expect([packages.shown.length, watched.shown.length, germanOrder.shown.length]).toEqual([1, 1, 1]);
  // A language that nobody watches any more is not rendered.
  for (const viewer of [german, germanOrder]) viewer.onEnd();
  const { rendered } = scene;
  scene.publish(1, { remaining: 0 });
  scene.bus.publishOrder({
    ...order,
    status: 'confirmed',
    timeline: [...order.timeline, { at: 1, event: 'confirmed' }],
  });
  await tick();
  expect(scene.rendered).toBe(rendered + 2);
  expect([packages.shown.length, watched.shown.length]).toEqual([2, 2]);
});

it('shows packages that become listed to the viewers of all packages in each language', async () => {
  const scene = new HubScene();
  scene.set(3, {}, { listed: false });
  const viewers = [scene.watchPackages(), scene.watchPackages(new TestViewer(), 'de')];
  await tick();
  scene.bus.publishPackage(scene.set(3, {}, { listed: true }));
  await tick();
  scene.bus.publishPackage(scene.set(2, {}, { archived: true }));
  await tick();
  expect(viewers.map(({ shown }) => shown.slice(1))).toEqual([
    ['3: 1 free, 0 held;', '2: archived;'],
    ['de 3: 1 free, 0 held;', 'de 2: archived;'],
  ]);
});

it('renders JSON as one more format', async () => {
  const scene = new HubScene();
  const order = scene.setOrder({ status: 'held' });
  const viewers = [
    scene.watchPackages(new TestViewer(), 'json'),
    scene.watchOrder(order.id, new TestViewer(), 'json'),
  ];
  await tick();
  const pages = [scene.watchPackages(), scene.watchOrder(order.id)];
  await tick();
  expect(viewers.map(({ received }) => received.slice(1).join())).toEqual([
    expect.stringContaining('json 1: 1 free, 0 held'),
    `json ${order.id} held - 0`,
  ]);
  expect(pages.map(({ shown }) => shown)).toEqual([
    ['1: 1 free, 0 held;2: 2 free, 0 held;'],
    [`${order.id} held - 0;`],
  ]);
});

it('closes the viewers in all languages of an order that does not exist', async () => {
  const scene = new HubScene();
  const viewers = [
    scene.watchOrder('no such order'),
    scene.watchOrder('no such order', new TestViewer(), 'de'),
  ];
  await tick();
  expect(viewers.map(({ closed }) => closed)).toEqual([1008, 1008]);
});
