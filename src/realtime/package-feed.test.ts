import { afterEach, expect, it } from 'vitest';
import { packagesOf } from '../../test/support/all-packages.ts';
import { clock, HubScene, stopScenes, TestViewer, tick } from '../../test/support/hub-scene.ts';

afterEach(stopScenes);

it('renders and sends a viewer of a list only its packages, and others nothing', async () => {
  const scene = new HubScene();
  for (let id = 3; id <= 1_000; id++) scene.set(id, { remaining: 1 });
  await packagesOf(scene.engine);
  const [viewer, same, other] = [new TestViewer(), new TestViewer(), new TestViewer()];
  viewer.onEnd = scene.hub.subscribe({ kind: 'packages', ids: [7, 999, 5_000] }, viewer);
  scene.hub.subscribe({ kind: 'packages', ids: [7, 999, 5_000] }, same);
  scene.hub.subscribe({ kind: 'packages', ids: [999] }, other);
  await tick();
  expect([viewer.shown, other.shown]).toEqual([
    ['7: 1 free, 0 held;999: 1 free, 0 held;'],
    ['999: 1 free, 0 held;'],
  ]);
  expect([scene.rendered, viewer.closed]).toEqual([2, undefined]);
  scene.publish(8, { remaining: 0 });
  await tick();
  expect([scene.rendered, viewer.shown.length]).toEqual([2, 1]);
  scene.publish(999, { remaining: 0 });
  await tick();
  expect(scene.rendered).toBe(3);
  for (const each of [viewer, same, other]) expect(each.shown[1]).toBe('999: 0 free, 0 held;');
  // A list that nobody watches any more costs nothing.
  viewer.onEnd();
  scene.publish(7, { remaining: 0 });
  await tick();
  expect([same.shown.length, viewer.shown.length, scene.rendered]).toEqual([3, 2, 4]);
});

it('shows a viewer of all packages the first hundred that are listed', async () => {
  const scene = new HubScene();
  for (let id = 3; id <= 300; id++) scene.set(id, { remaining: 1 }, id === 50 ? { listed: false } : {});
  await packagesOf(scene.engine);
  const viewer = scene.watchPackages();
  expect(viewer.shown[0]).toMatch(/^1: .*;49: 1 free, 0 held;51: .*;101: 1 free, 0 held;$/);
  expect(scene.rendered).toBe(100);
  scene.publish(102, { remaining: 0 });
  await tick();
  expect(viewer.shown).toHaveLength(1);
  // Package 1 is no longer listed, so there is room for one that becomes listed.
  scene.bus.publishPackage(scene.set(1, {}, { listed: false }));
  await tick();
  scene.bus.publishPackage(scene.set(50, {}, { listed: true }));
  await tick();
  expect(viewer.shown.slice(1)).toEqual(['50: 1 free, 0 held;']);
});

it('rereads only watched packages of many, so that a lost update is made up for', async () => {
  const scene = new HubScene();
  for (let id = 3; id <= 2_000; id++) scene.set(id, { remaining: 1 });
  await packagesOf(scene.engine);
  const viewer = new TestViewer();
  viewer.onEnd = scene.hub.subscribe({ kind: 'packages', ids: [1_999] }, viewer);
  await tick();
  scene.reads.length = 0;
  scene.set(1_999, { remaining: 0 });
  await clock.advance(5000);
  expect(viewer.shown.at(-1)).toBe('1999: 0 free, 0 held;');
  expect(scene.reads.length).toBeLessThanOrEqual(2);
});

it('has room for a bounded number of different lists', () => {
  const scene = new HubScene();
  const topic = (id: number) => ({ kind: 'packages', ids: [id] }) as const;
  for (let id = 1; id <= 2_000; id++) scene.hub.subscribe(topic(id), new TestViewer());
  expect([scene.hub.hasRoomFor(topic(2_001)), scene.hub.hasRoomFor(topic(2_000))]).toEqual([false, true]);
});
