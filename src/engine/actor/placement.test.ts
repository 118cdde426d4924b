import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { Messages } from '../../cluster/messages.ts';
import { silentLog } from '../../observability/log.ts';
import { Placement, preference } from './placement.ts';

/** A list of members that the test sets. */
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
let wokenOnPreferred: number[];
let placement: Placement;

const ids = Array.from({ length: 40 }, (_, index) => index + 1);
const preferredBy = (instance: string, ...all: string[]) =>
  ids.filter((id) => preference(id, all)[0] === instance);

beforeEach(() => {
  clock = new ManualClock();
  members = new Members();
  active = new Set();
  unfinished = [];
  wokenOnPreferred = [];
  placement = new Placement({
    instance: 'a',
    messages: members as unknown as Messages,
    actors: {
      activeIds: () => [...active],
      wake: (id) => void active.add(id),
      release: async (id) => void active.delete(id),
    },
    store: { packagesWithUnfinished: async () => unfinished },
    wakeOnPreferred: (moved) => void wokenOnPreferred.push(...moved),
    clock,
    log: silentLog,
    scanMs: 1_000,
    stableMs: 10_000,
  });
});

test('Q6 the next scan wakes an actor with unfinished work if the actor prefers this instance', async () => {
  void placement.run();
  unfinished = ids;
  await clock.advance(1_000);
  expect([...active]).toEqual(preferredBy('a', 'a', 'b'));
  placement.stop();
});

test('Q6 when a member leaves, the other members take over its actors', async () => {
  unfinished = ids;
  void placement.run();
  await clock.advance(1_000);
  members.become('a');
  await clock.advance(1_000);
  expect([...active].sort((x, y) => x - y)).toEqual(ids);
  placement.stop();
});

test('actors move to a new member only after the members have been stable for a while', async () => {
  members.become('a');
  unfinished = ids;
  void placement.run();
  await clock.advance(1_000);
  members.become('a', 'b');
  await clock.advance(9_000);
  expect(wokenOnPreferred).toEqual([]);
  await clock.advance(2_000);
  expect(wokenOnPreferred).toEqual(preferredBy('b', 'a', 'b'));
  expect([...active]).toEqual(preferredBy('a', 'a', 'b'));
  placement.stop();
});

test('no actor moves while the transport is away', async () => {
  members.become('a');
  unfinished = ids;
  void placement.run();
  await clock.advance(1_000);
  members.become('a', 'b');
  members.available = false;
  await clock.advance(20_000);
  expect(wokenOnPreferred).toEqual([]);
  placement.stop();
});

test('a scan that fails because the store is away is repeated at the next interval', async () => {
  let isAway = true;
  const patient = new Placement({
    instance: 'a',
    messages: members as unknown as Messages,
    actors: { activeIds: () => [...active], wake: (id) => void active.add(id), release: async () => {} },
    store: {
      packagesWithUnfinished: async () => {
        if (isAway) throw new Error('away');
        return preferredBy('a', 'a', 'b');
      },
    },
    wakeOnPreferred: () => {},
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

describe('preference', () => {
  const members = ['a', 'b', 'c'];
  const actors = Array.from({ length: 3_000 }, (_, index) => index + 1);

  test('does not depend on the sequence of the members', () => {
    for (const actor of actors.slice(0, 100)) {
      expect(preference(actor, ['c', 'a', 'b'])).toEqual(preference(actor, members));
    }
  });

  test('is spread evenly over the members', () => {
    const counts = members.map(
      (member) => actors.filter((actor) => preference(actor, members)[0] === member).length,
    );
    for (const count of counts) expect(count).toBeGreaterThan(850);
  });

  test('changes only for the actors of a member that leaves, each to its next member', () => {
    for (const actor of actors) {
      const before = preference(actor, members);
      const after = preference(actor, ['a', 'b']);
      expect(after).toEqual(before.filter((member) => member !== 'c'));
    }
  });
});
