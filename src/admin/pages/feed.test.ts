import { beforeEach, expect, test } from 'vitest';
import { type FakeAdmin, fakeAdmin, fakeStatus } from '../../../test/support/fake-admin.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { silentLog } from '../../observability/log.ts';
import { fanoutDefaults, type Viewer } from '../../realtime/fanout.ts';
import { StoreUnavailableError } from '../../storage/store.ts';
import { AdminFeed } from './feed.ts';
import { OverviewReader } from './overview.ts';
import { PackageRows } from './package-rows.ts';

class TestViewer implements Viewer {
  readonly received: string[] = [];
  closed: number | undefined;
  isCut = false;
  leave: () => void = () => {};

  send(frame: Buffer): void {
    const length = (frame[1] ?? 0) & 127;
    this.received.push(frame.toString('utf8', length < 126 ? 2 : length === 126 ? 4 : 10));
  }
  bufferedBytes = () => 0;
  close(code: number): void {
    this.closed = code;
    this.leave();
  }
  terminate(): void {
    this.isCut = true;
    this.leave();
  }

  /** The fragment ids of each message that was received since the last call. */
  take(): string[][] {
    return this.received
      .splice(0)
      .filter((text) => text.startsWith('<hx-partial'))
      .map((text) => [...text.matchAll(/hx-target="#admin-([^"]+)"/g)].map(([, id]) => id ?? ''));
  }
}

let clock: ManualClock;
let service: FakeAdmin;
let reads: number;
let isStoreAway: boolean;
let feed: AdminFeed;

beforeEach(() => {
  clock = new ManualClock();
  reads = 0;
  isStoreAway = false;
  const fake = fakeAdmin({ packages: [fakeStatus({ id: 1 }), fakeStatus({ id: 2 })] });
  service = {
    ...fake,
    packages: {
      ...fake.packages,
      async list(query) {
        reads++;
        if (isStoreAway) throw new StoreUnavailableError('gone');
        return fake.packages.list(query);
      },
    },
  };
  feed = new AdminFeed(
    {
      overview: new OverviewReader({ service, clock }),
      clock,
      log: silentLog,
      rows: new PackageRows('USD', fanoutDefaults),
    },
    { ...fanoutDefaults, everyMs: 1000, proveEveryMs: 5000, shutdownGraceMs: 1000 },
  );
});

function watch(stillMay: () => Promise<boolean> = async () => true): TestViewer {
  const viewer = new TestViewer();
  viewer.leave = feed.join(viewer, stillMay);
  return viewer;
}

const setPackage = (id: number, remaining: number) => {
  const { world } = service;
  world.packages = world.packages.map((each) =>
    each.package.id === id ? { ...each, inventory: { ...each.inventory, remaining } } : each,
  );
};

const everything = [
  ...['packages', 'problems', 'totals', 'concerns', 'instances', 'log'],
  ...['package-1', 'package-2'],
];

test('nothing is read and no timer runs without a viewer', async () => {
  await clock.advance(5000);
  const viewer = watch();
  await clock.advance(0);
  expect(reads).toBe(1);
  viewer.leave();
  await clock.advance(5000);
  expect([reads, clock.sleepers]).toEqual([1, 0]);
});

test('a new viewer gets all fragments, the table before its rows', async () => {
  const viewer = watch();
  await clock.advance(0);
  expect(viewer.take()).toEqual([everything]);
});

test('all viewers share one read a second, and get the changed fragments', async () => {
  const [one, two] = [watch(), watch()];
  await clock.advance(3500);
  expect(reads).toBe(4);
  one.take();
  two.take();
  setPackage(2, 7);
  await clock.advance(1000);
  expect(one.take()).toEqual([['package-2']]);
  expect(two.take()).toEqual([['package-2']]);
  await clock.advance(1000);
  expect(one.take()).toEqual([]);
});

test('a new package makes the feed send the whole table', async () => {
  const viewer = watch();
  await clock.advance(0);
  viewer.take();
  service.world.packages = [...service.world.packages, fakeStatus({ id: 3 })];
  await clock.advance(1000);
  expect(viewer.take()).toEqual([[...everything, 'package-3']]);
  await clock.advance(1000);
  expect(viewer.take()).toEqual([]);
});

test('a viewer who comes after a pause gets only the current state', async () => {
  const first = watch();
  await clock.advance(0);
  first.leave();
  setPackage(1, 7);
  const second = watch();
  expect(second.take()).toEqual([]);
  await clock.advance(0);
  expect(second.take()).toEqual([everything]);
});

test('only the socket of a revoked session is closed, within 5 s', async () => {
  let isSignedIn = true;
  const [gone, stays] = [watch(async () => isSignedIn), watch()];
  await clock.advance(2000);
  isSignedIn = false;
  await clock.advance(5000);
  expect([gone.closed, stays.closed]).toEqual([1008, undefined]);
  expect(feed.viewers).toBe(1);
});

test('viewers keep the last inventory and get a notice while the store is away', async () => {
  const viewer = watch(async () => {
    if (isStoreAway) throw new StoreUnavailableError('gone');
    return true;
  });
  await clock.advance(0);
  viewer.take();
  isStoreAway = true;
  await clock.advance(6000);
  expect(viewer.take()).toEqual([['problems']]);
  expect(viewer.closed).toBeUndefined();
  isStoreAway = false;
  await clock.advance(1000);
  expect(viewer.take()).toEqual([['problems']]);
});

test('heartbeats are sent to viewers, so that pages notice a dead socket', async () => {
  const viewer = watch();
  await clock.advance(0);
  viewer.received.splice(0);
  await clock.advance(4000);
  expect(viewer.received.map((text) => text.slice(0, 7))).toEqual(['{"now":']);
});

test('a stop closes all sockets with 1012, and terminates sockets that stay open', async () => {
  const [polite, deaf] = [watch(), watch()];
  deaf.close = (code) => {
    deaf.closed = code;
  };
  const stopped = feed.stop();
  await clock.advance(1000);
  await stopped;
  expect([polite.closed, polite.isCut]).toEqual([1012, false]);
  expect([deaf.closed, deaf.isCut]).toEqual([1012, true]);
});
