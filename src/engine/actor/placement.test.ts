import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { Messages } from '../../cluster/messages.ts';
import { defined } from '../../lib/defined.ts';
import { silentLog } from '../../observability/log.ts';
import { Candidates, preference } from './candidates.ts';
import { Placement } from './placement.ts';
import type { Attempt } from './runtime.ts';
import { Traffic } from './traffic.ts';

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
/** The actors that other members were asked to take over. */
let woken: (readonly [member: string, id: number])[];
let traffic: Traffic;
let placement: Placement;
let candidates: Candidates;
let told: number[];
/** The results of attempts that do not activate their actor. */
let refused: Map<number, Attempt>;
/** All attempts, in their order. */
let attempts: number[];

const ids = Array.from({ length: 40 }, (_, index) => index + 1);
const preferredBy = (instance: string, ...all: string[]) =>
  ids.filter((id) => preference(id, all)[0] === instance);

function makePlacement(
  store: () => Promise<number[]>,
  wake: (id: number) => Promise<Attempt> = async (id) => {
    attempts.push(id);
    const refusal = refused.get(id);
    if (refusal === undefined) active.add(id);
    return refusal ?? 'active';
  },
  scanMs?: number,
): Placement {
  return new Placement({
    instance: 'a',
    messages: members as unknown as Messages,
    candidates,
    actors: {
      activeIds: () => [...active],
      unableIds: () => [...new Set(attempts)].filter((id) => refused.get(id) === 'unable'),
      wake,
      release: async (id) => void active.delete(id),
    },
    store: { packagesWithUnfinished: store },
    traffic,
    wakeOn: (member, moved) => void woken.push(...moved.map((id) => [member, id] as const)),
    tellUnable: (unable) => void told.push(...unable),
    clock,
    log: silentLog,
    ...defined({ scanMs }),
  });
}

beforeEach(() => {
  clock = new ManualClock();
  members = new Members();
  active = new Set();
  unfinished = [];
  woken = [];
  traffic = new Traffic(clock);
  told = [];
  refused = new Map();
  attempts = [];
  candidates = new Candidates(() => members.all);
  placement = makePlacement(async () => unfinished);
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
  expect(woken).toEqual([]);
  await clock.advance(2_000);
  expect(woken).toEqual(preferredBy('b', 'a', 'b').map((id) => ['b', id]));
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
  expect(woken).toEqual([]);
  placement.stop();
});

test('a scan that fails because the store is away is repeated at the next interval', async () => {
  let isAway = true;
  const patient = makePlacement(async () => {
    if (isAway) throw new Error('away');
    return preferredBy('a', 'a', 'b');
  });
  void patient.run();
  await clock.advance(1_000);
  isAway = false;
  await clock.advance(1_000);
  expect(active.size).toBeGreaterThan(0);
  patient.stop();
});

describe('Q6 many actors without an owner', () => {
  const many = Array.from({ length: 5_000 }, (_, index) => index + 1);

  beforeEach(() => members.become('a'));

  test('are adopted as fast as takeovers finish, a few at once', async () => {
    let underWay = 0;
    let mostUnderWay = 0;
    const all = makePlacement(
      async () => many,
      async (id) => {
        mostUnderWay = Math.max(mostUnderWay, ++underWay);
        await clock.sleep(10);
        underWay--;
        active.add(id);
        return 'active';
      },
    );
    void all.run();
    await clock.advance(2_000);
    expect(active.size).toBe(5_000);
    expect(mostUnderWay).toBe(128);
    all.stop();
  });

  test('are adopted although the ones before them are leased by another instance, also while members flap', async () => {
    unfinished = many.slice(0, 160);
    for (const id of many.slice(0, 120)) refused.set(id, 'notOwner');
    void placement.run();
    for (let each = 0; each < 3; each++) {
      members.become('a', `flapping-${each}`);
      await clock.advance(500);
      members.become('a');
      await clock.advance(500);
    }
    expect([...active].sort((one, other) => one - other)).toEqual(many.slice(120, 160));
    placement.stop();
  });

  test('get their turn even if those before them are attempted again and again', async () => {
    unfinished = many;
    for (const id of many) refused.set(id, 'failed');
    const slow = makePlacement(
      async () => unfinished,
      async (id) => {
        attempts.push(id);
        await clock.sleep(500);
        return 'failed';
      },
    );
    void slow.run();
    await clock.advance(90_000);
    expect(new Set(attempts).size).toBe(5_000);
    slow.stop();
  });

  test('are not asked of a lease again at every scan', async () => {
    unfinished = [1];
    refused.set(1, 'notOwner');
    void placement.run();
    await clock.advance(12_000);
    expect(attempts.length).toBeGreaterThan(3);
    expect(attempts.length).toBeLessThan(8);
    placement.stop();
  });
});

test('a package that another instance gave away is taken over at once', async () => {
  placement.takeOver([7]);
  await clock.advance(0);
  expect([...active]).toEqual([7]);
  placement.stop();
});

describe('Q6 Q12 an actor that an instance cannot own', () => {
  const mine = preferredBy('a', 'a', 'b')[0] as number;
  const theirs = preferredBy('b', 'a', 'b')[0] as number;

  test('is passed on, and the instance does not prefer it any more', async () => {
    unfinished = [mine];
    refused.set(mine, 'unable');
    void placement.run();
    await clock.advance(200);
    expect(told).toEqual([mine]);
    expect(candidates.preferred(mine)).toBe('b');
    await clock.advance(5_000);
    expect(attempts).toEqual([mine]);
    placement.stop();
  });

  test('is tried again each second where scans are rarer, until it is active', async () => {
    members.become('a');
    unfinished = [1];
    refused.set(1, 'unable');
    let scans = 0;
    const rare = makePlacement(
      async () => {
        scans++;
        return unfinished;
      },
      undefined,
      30_000,
    );
    void rare.run();
    await clock.advance(10_000);
    expect(attempts.length).toBeGreaterThan(8);
    refused.clear();
    await clock.advance(1_000);
    expect([...active]).toEqual([1]);
    await clock.advance(1_000);
    scans = 0;
    await clock.advance(29_000);
    expect(scans).toBeLessThanOrEqual(1);
    rare.stop();
  });

  test('is adopted at once by its next candidate', async () => {
    unfinished = [theirs];
    void placement.run();
    await clock.advance(1_500);
    expect(attempts).toEqual([]);
    placement.noteUnable('b', [theirs]);
    await clock.advance(100);
    expect([...active]).toEqual([theirs]);
    placement.stop();
  });

  test('does not move to that instance', async () => {
    active.add(theirs);
    placement.noteUnable('b', [theirs]);
    void placement.run();
    await clock.advance(20_000);
    expect([...active]).toEqual([theirs]);
    placement.stop();
  });

  test('prefers that instance again after its return', () => {
    placement.noteUnable('b', [theirs]);
    members.become('a');
    members.become('a', 'b');
    expect(candidates.preferred(theirs)).toBe('b');
  });
});

describe('an actor follows its purchases', () => {
  const [own, other] = [preferredBy('a', 'a', 'b'), preferredBy('b', 'a', 'b')].map(([id]) => id as number);

  /** Purchases that arrive at one member, for many windows. */
  async function purchases(id: number, member: string, seconds: number): Promise<void> {
    for (let each = 0; each < seconds; each++) {
      for (let count = 0; count < 30; count++) traffic.note(id, member);
      await clock.advance(1_000);
    }
  }

  beforeEach(() => {
    members.become('a', 'b');
    void placement.run();
  });
  afterEach(() => placement.stop());

  test('to the instance where nearly all of them arrive, once the members are stable', async () => {
    active.add(own as number);
    await purchases(own as number, 'b', 9);
    expect(woken).toEqual([]);
    await purchases(own as number, 'b', 2);
    expect([woken, [...active]]).toEqual([[['b', own]], []]);
  });

  test('and stays there, although it prefers another one, until they stop', async () => {
    await clock.advance(11_000);
    placement.takeOver([other as number]);
    await purchases(other as number, 'a', 30);
    expect([woken, [...active]]).toEqual([[], [other]]);
    await clock.advance(13_000);
    expect([woken, [...active]]).toEqual([[['b', other]], []]);
  });

  test('but not if they are spread', async () => {
    active.add(own as number);
    for (let each = 0; each < 30; each++) {
      for (const member of ['a', 'b', 'c']) await purchases(own as number, member, 1);
    }
    expect(woken).toEqual([]);
  });

  test('but not to an instance that has left, or that cannot own it', async () => {
    active.add(own as number);
    await purchases(own as number, 'gone', 30);
    candidates.addUnable('b', [own as number]);
    await purchases(own as number, 'b', 30);
    expect(woken).toEqual([]);
  });
});
