import { beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { Messages } from '../../cluster/messages.ts';
import { silentLog } from '../../observability/log.ts';
import { Placement } from './placement.ts';
import { preference } from './routing/rendezvous.ts';

/** Who is there, as a test tells it. */
class Members implements Pick<Messages, 'members' | 'onMembers' | 'available'> {
  all = ['a', 'b'];
  available = true;
  #listener: (members: readonly string[]) => void = () => {};
  members() {
    return this.all;
  }
  onMembers(listener: (members: readonly string[]) => void) {
    this.#listener = listener;
    return () => {};
  }
  become(...all: string[]) {
    this.all = all;
    this.#listener(all);
  }
}

let clock: ManualClock;
let members: Members;
let active: Set<number>;
let unfinished: number[];
let wokenElsewhere: number[];
let placement: Placement;

const ids = Array.from({ length: 40 }, (_, index) => index + 1);
const preferredBy = (instance: string, ...all: string[]) =>
  ids.filter((id) => preference(id, all)[0] === instance);

beforeEach(() => {
  clock = new ManualClock();
  members = new Members();
  active = new Set();
  unfinished = [];
  wokenElsewhere = [];
  placement = new Placement({
    instance: 'a',
    messages: members as unknown as Messages,
    actors: {
      activeIds: () => [...active],
      wake: (id) => void active.add(id),
      release: async (id) => void active.delete(id),
    },
    unfinished: async () => unfinished,
    wakeElsewhere: (moved) => void wokenElsewhere.push(...moved),
    clock,
    log: silentLog,
    scanMs: 1_000,
    stableMs: 10_000,
  });
});

test('Q6 what has something to do and belongs here is woken within a scan', async () => {
  void placement.run();
  unfinished = ids;
  await clock.advance(1_000);
  expect([...active]).toEqual(preferredBy('a', 'a', 'b'));
  placement.stop();
});

test('Q6 when a member has gone, those who are left take over what it owned', async () => {
  unfinished = ids;
  void placement.run();
  await clock.advance(1_000);
  members.become('a');
  await clock.advance(1_000);
  expect([...active].sort((x, y) => x - y)).toEqual(ids);
  placement.stop();
});

test('actors move to a newcomer only after the members have been the same for a while', async () => {
  members.become('a');
  unfinished = ids;
  void placement.run();
  await clock.advance(1_000);
  members.become('a', 'b');
  await clock.advance(9_000);
  expect(wokenElsewhere).toEqual([]);
  await clock.advance(2_000);
  expect(wokenElsewhere).toEqual(preferredBy('b', 'a', 'b'));
  expect([...active]).toEqual(preferredBy('a', 'a', 'b'));
  placement.stop();
});

test('nothing moves while nobody can be told', async () => {
  members.become('a');
  unfinished = ids;
  void placement.run();
  await clock.advance(1_000);
  members.become('a', 'b');
  members.available = false;
  await clock.advance(20_000);
  expect(wokenElsewhere).toEqual([]);
  placement.stop();
});

test('a store that is away is asked again', async () => {
  let isAway = true;
  const patient = new Placement({
    instance: 'a',
    messages: members as unknown as Messages,
    actors: { activeIds: () => [...active], wake: (id) => void active.add(id), release: async () => {} },
    unfinished: async () => {
      if (isAway) throw new Error('away');
      return preferredBy('a', 'a', 'b');
    },
    wakeElsewhere: () => {},
    clock,
    log: silentLog,
  });
  void patient.run();
  await clock.advance(1_000);
  isAway = false;
  await clock.advance(1_000);
  expect(active.size).toBeGreaterThan(0);
  patient.stop();
});
